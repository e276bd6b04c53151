#include "tests/blackbox/api/api_model_test_helper.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "tests/blackbox/support/block_test_helper.h"

namespace hakmem_test {
namespace {

// Calls visit(offset, bytes) for the words of a block of `size` bytes that are
// filled with a pattern: all of a small block; of a large one both ends and a
// word of each page, which is cheap and still touches every page.
template <typename Visit>
void ForEachWord(size_t size, Visit&& visit) {
  constexpr size_t kWhole = 4096;
  constexpr size_t kEnd = 256;
  for (size_t at = 0; at < size;) {
    visit(at, std::min<size_t>(8, size - at));
    const bool is_inside =
        size > kWhole && at + 8 >= kEnd && at + 8 + kEnd < size;
    at += is_inside ? std::min<size_t>(4096, size - kEnd - at) / 8 * 8 : 8;
  }
}

void Write(char* block, size_t size, uint64_t pattern) {
  ForEachWord(size, [&](size_t at, size_t bytes) {
    const uint64_t word = PatternWord(pattern, at);
    memcpy(block + at, &word, bytes);
  });
}

// Whether the first `bytes` of what Write(block, size, pattern) wrote are
// intact.
bool IsThere(const char* block, size_t size, uint64_t pattern, size_t bytes) {
  bool all = true;
  ForEachWord(size, [&](size_t at, size_t length) {
    if (at + length > bytes) return;
    const uint64_t word = PatternWord(pattern, at);
    all = all && memcmp(block + at, &word, length) == 0;
  });
  return all;
}

}  // namespace

TurnTaker::TurnTaker() : thread_([this] { Live(); }) {}

TurnTaker::~TurnTaker() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void TurnTaker::Do(const std::function<void()>& action) {
  std::unique_lock<std::mutex> lock(mutex_);
  action_ = &action;
  changed_.notify_all();
  changed_.wait(lock, [this] { return action_ == nullptr; });
}

void TurnTaker::Live() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ends_ || action_ != nullptr; });
    if (action_ == nullptr) return;
    (*action_)();
    action_ = nullptr;
    changed_.notify_all();
  }
}

ApiModel::ApiModel(const ApiFunctions& functions) : functions_(functions) {
  for (auto& thread : threads_) thread = std::make_unique<TurnTaker>();
}

ApiModel::~ApiModel() = default;

void ApiModel::Require(bool holds, const char* problem, const void* address) {
  if (holds || !problem_.empty()) return;
  char text[160];
  snprintf(text, sizeof(text), "operation %zu: %s, block at %p", step_, problem,
           address);
  problem_ = text;
}

std::string ApiModel::Run(const uint8_t* bytes, size_t count) {
  ApiOperations operations(bytes, count);
  ApiOperation operation;
  for (step_ = 0; problem_.empty() && operations.Next(&operation); ++step_) {
    if (operation.call == ApiCall::kRebirth) {
      threads_[operation.thread].reset();
      threads_[operation.thread] = std::make_unique<TurnTaker>();
    } else {
      threads_[operation.thread]->Do([&] { Perform(operation); });
    }
    if (step_ % kCheckEvery == 0) CheckHeap();
    if (step_ % kLookEvery == 0) {
      for (const Block& block : blocks_) CheckContents(block, block.written);
    }
  }
  if (problem_.empty()) FreeAll();
  return problem_;
}

void ApiModel::CheckHeap() {
  Require(functions_.check_heap() == 0, "the heap does not verify", nullptr);
}

void ApiModel::FreeAll() {
  for (uint8_t turn = 0; !blocks_.empty(); ++turn) {
    const Block block = Leave(blocks_.size() - 1);
    threads_[turn % kApiThreads]->Do([&] { functions_.free(block.address); });
  }
  CheckHeap();
  for (auto& thread : threads_) thread->Do([this] { functions_.collect(); });
  CheckHeap();
  for (auto& thread : threads_) thread.reset();
  functions_.collect();
  CheckHeap();
}

void ApiModel::Perform(const ApiOperation& operation) {
  switch (operation.call) {
    case ApiCall::kRealloc:
    case ApiCall::kReallocarray:
      return Resize(operation);
    case ApiCall::kReallocToZero:
    case ApiCall::kFree:
    case ApiCall::kFreeSized:
    case ApiCall::kDelete:
      return Release(operation);
    case ApiCall::kFreeNull:
      return functions_.free(nullptr);
    case ApiCall::kCollect:
      functions_.collect();
      return CheckHeap();
    case ApiCall::kTrim:
      functions_.trim(operation.size);
      return CheckHeap();
    default:
      return Allocate(operation);
  }
}

size_t ApiModel::Pick(const ApiOperation& operation) const {
  return blocks_.empty() ? 0 : operation.block % blocks_.size();
}

void ApiModel::Allocate(const ApiOperation& operation) {
  const size_t size = operation.size;
  const size_t alignment = operation.alignment;
  if (bytes_ + size > kMostBytes || blocks_.size() == kMostBlocks) {
    return Release(operation);
  }
  void* block = nullptr;
  switch (operation.call) {
    case ApiCall::kCalloc: {
      const size_t count = operation.block % 7 + 1;
      block = functions_.calloc(count, size / count);
      Require(block == nullptr || IsZero(block, size / count * count),
              "calloc's memory is not zero", block);
      return Enter(block, operation, size / count * count, 0);
    }
    case ApiCall::kReallocNull:
      block = functions_.realloc(nullptr, size);
      return Enter(block, operation, size, 0);
    case ApiCall::kMemalign:
      return Enter(functions_.memalign(alignment, size), operation, size,
                   alignment);
    case ApiCall::kAlignedAlloc:
      return Enter(functions_.aligned_alloc(alignment, size), operation, size,
                   alignment);
    case ApiCall::kPosixMemalign:
      Require(functions_.posix_memalign(&block, alignment, size) == 0,
              "posix_memalign fails", nullptr);
      return Enter(block, operation, size, alignment);
    case ApiCall::kValloc:
      return Enter(functions_.valloc(size), operation, size, 4096);
    case ApiCall::kPvalloc:
      // Rounded up to whole pages, all of which are usable.
      return Enter(functions_.pvalloc(size), operation,
                   std::max<size_t>((size + 4095) / 4096, 1) * 4096, 4096);
    case ApiCall::kNew:
      return Enter(functions_.operator_new(size, 0), operation, size, 0);
    case ApiCall::kNewAligned:
      return Enter(functions_.operator_new(size, alignment), operation, size,
                   alignment);
    default:
      return Enter(functions_.malloc(size), operation, size, 0);
  }
}

void ApiModel::Enter(void* address, const ApiOperation& operation, size_t size,
                     size_t alignment) {
  Require(address != nullptr, "no memory", nullptr);
  if (address == nullptr) return;
  auto* start = static_cast<char*>(address);
  const size_t usable = functions_.usable_size(address);
  Require(usable >= size, "fewer bytes are usable than were asked for", start);
  Require(IsAligned(address, std::max<size_t>(alignment, 16)), "misaligned",
          start);
  // Compares with neighbours by address: any overlap is with one of them.
  const auto next = ends_.upper_bound(start);
  Require(next == ends_.end() || start + usable <= next->first,
          "reaches into another block", start);
  Require(next == ends_.begin() || std::prev(next)->second <= start,
          "lies in another block", start);
  if (!problem_.empty()) return;
  ends_[start] = start + std::max<size_t>(usable, 1);
  const size_t written = operation.use_all ? usable : size;
  blocks_.push_back(
      {start, size, written, alignment, next_pattern_++, operation.thread});
  Write(start, written, blocks_.back().pattern);
  bytes_ += size;
}

ApiModel::Block ApiModel::Leave(size_t i) {
  const Block block = blocks_[i];
  CheckContents(block, block.written);
  blocks_[i] = blocks_.back();
  blocks_.pop_back();
  ends_.erase(block.address);
  bytes_ -= block.size;
  return block;
}

void ApiModel::CheckContents(const Block& block, size_t bytes) {
  Require(IsThere(block.address, block.written, block.pattern, bytes),
          "the contents have changed", block.address);
}

void ApiModel::Resize(const ApiOperation& operation) {
  if (blocks_.empty() || bytes_ + operation.size > kMostBytes) {
    return Release(operation);
  }
  const Block old = Leave(Pick(operation));
  const size_t size = std::max<size_t>(operation.size, 1);
  void* moved = operation.call == ApiCall::kRealloc
                    ? functions_.realloc(old.address, size)
                    : functions_.reallocarray(old.address, 1, size);
  if (moved != nullptr) {
    // Only the requested bytes must be kept.
    Block kept = old;
    kept.address = static_cast<char*>(moved);
    CheckContents(kept, std::min(old.size, size));
  }
  Enter(moved, operation, size, 0);
}

void ApiModel::Release(const ApiOperation& operation) {
  if (blocks_.empty()) return;
  const Block block = Leave(Pick(operation));
  if (!problem_.empty()) return;
  switch (operation.call) {
    case ApiCall::kReallocToZero:
      Require(functions_.realloc(block.address, 0) == nullptr,
              "realloc to nothing returns a block", block.address);
      return;
    case ApiCall::kFreeSized:
      return block.alignment == 0
                 ? functions_.free_sized(block.address, block.size)
                 : functions_.free_aligned_sized(block.address, block.alignment,
                                                 block.size);
    case ApiCall::kDelete:
      return functions_.operator_delete(block.address, block.size,
                                        block.alignment);
    default:
      return functions_.free(block.address);
  }
}

}  // namespace hakmem_test
