#include "frontend/thread_cache/shelves.h"

#include <algorithm>
#include <atomic>

#include "base/text/options.h"
#include "frontend/thread_cache/bins.h"
#include "frontend/thread_cache/retry_gate.h"
#include "frontend/thread_cache/shelf.h"
#include "hardening/levels.h"
#include "linked_backend.h"

namespace hakmem {
namespace {

constexpr uint32_t kSlots = 8;

using AShelf = Shelf<void*, kSlots, Shelves::kBatch>;

// The shelf of one class, in a line of its own.
struct alignas(64) ClassShelf : AShelf {
  // relaxed, all: hints.
  std::atomic<uint32_t> slots;      // that Put may use
  std::atomic<uint32_t> missed_in;  // last epoch in which Take found nothing
  std::atomic<uint32_t> used_in;    // last epoch in which Put left something
};
static_assert(sizeof(ClassShelf) == 64);

constinit ClassShelf shelves[kTinyClassCount] = {};
alignas(64) constinit AShelf::Batches addresses[kTinyClassCount] = {};

// The number of the epoch, a quarter of the decay time, and when it ends.
// relaxed: numbers that order nothing. The first number is far from 0, the
// value of a class that was never used.
constinit std::atomic<uint32_t> current_epoch{2};
constinit std::atomic<uint64_t> epoch_ends{0};

// Bytes that all usable slots could hold. relaxed: a budget.
constinit std::atomic<size_t> usable_bytes{0};

ClassShelf& ShelfOf(SizeClass c) { return shelves[Index(c)]; }
AShelf::Batches& BatchesOf(SizeClass c) { return addresses[Index(c)]; }

size_t BatchBytes(SizeClass c) { return size_t{BatchSlots(c)} * ClassBytes(c); }

uint32_t Epoch() { return current_epoch.load(std::memory_order_relaxed); }

// Whether `then` is this epoch or the last one.
bool IsRecent(const std::atomic<uint32_t>& then, uint32_t epoch) {
  return epoch - then.load(std::memory_order_relaxed) <= 1;
}

// Writes only what is new: the line is shared.
void Note(std::atomic<uint32_t>& when, uint32_t epoch) {
  if (when.load(std::memory_order_relaxed) != epoch) {
    when.store(epoch, std::memory_order_relaxed);
  }
}

// Gives the class another slot, if the budget has room.
bool Grow(SizeClass c, uint32_t slots) {
  if (slots == kSlots) return false;
  const size_t bytes = BatchBytes(c);
  if (usable_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes <=
          Shelves::kMaxBytes &&
      ShelfOf(c).slots.compare_exchange_strong(slots, slots + 1,
                                               std::memory_order_relaxed)) {
    return true;
  }
  usable_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

// Takes up to `count` slots from the class.
void Shrink(SizeClass c, uint32_t count) {
  std::atomic<uint32_t>& slots = ShelfOf(c).slots;
  uint32_t before = slots.load(std::memory_order_relaxed);
  do {
    count = std::min(count, before);
  } while (!slots.compare_exchange_weak(before, before - count,
                                        std::memory_order_relaxed));
  usable_bytes.fetch_sub(count * BatchBytes(c), std::memory_order_relaxed);
}

// Returns to the back-end what was left before `epoch`. Returns how many
// batches.
uint32_t ReturnOlder(SizeClass c, uint32_t epoch) {
  uint32_t batches = 0;
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    void* blocks[Shelves::kBatch];
    const uint32_t count =
        ShelfOf(c).TakeOlder(BatchesOf(c), slot, epoch, blocks);
    if (count == 0) continue;
    LinkedBackend::Drain(nullptr, c, blocks, count);
    ++batches;
  }
  if (batches != 0) retry_gate.Open();
  return batches;
}

template <typename Action>
void ForEachClass(Action&& action) {
  for (size_t c = 1; c < kTinyClassCount; ++c) {
    action(SizeClass{static_cast<uint8_t>(c)});
  }
}

}  // namespace

bool Shelves::Put(SizeClass c, void* const* blocks, uint32_t count) {
  ClassShelf& shelf = ShelfOf(c);
  const uint32_t epoch = Epoch();
  const uint32_t slots = shelf.slots.load(std::memory_order_relaxed);
  if (!shelf.Put(BatchesOf(c), blocks, count, slots, epoch)) {
    // Nobody may have missed anything, or those who did are served by now.
    if (!IsRecent(shelf.missed_in, epoch) || !Grow(c, slots) ||
        !shelf.Put(BatchesOf(c), blocks, count, slots + 1, epoch)) {
      return false;
    }
  }
  Note(shelf.used_in, epoch);
  retry_gate.Open();
  return true;
}

uint32_t Shelves::Take(SizeClass c, void** blocks, uint32_t most) {
  ClassShelf& shelf = ShelfOf(c);
  uint32_t taken = 0;
  while (taken < most) {
    const uint32_t n = shelf.Take(BatchesOf(c), blocks + taken, most - taken);
    if (n == 0) break;
    taken += n;
  }
  if (taken == 0) Note(shelf.missed_in, Epoch());
  return taken;
}

void Shelves::Age(uint64_t now) {
  uint64_t ends = epoch_ends.load(std::memory_order_relaxed);
  const uint64_t length = options::Get(options::k_decay) / 4;
  // One of the threads that find it due does it.
  if (now < ends || !epoch_ends.compare_exchange_strong(
                        ends, now + length, std::memory_order_relaxed)) {
    return;
  }
  const uint32_t epoch =
      current_epoch.fetch_add(1, std::memory_order_relaxed) + 1;
  ForEachClass([epoch](SizeClass c) {
    if (ShelfOf(c).slots.load(std::memory_order_relaxed) == 0) return;
    const uint32_t unneeded = ReturnOlder(c, epoch - 1);
    Shrink(c, IsRecent(ShelfOf(c).used_in, epoch) ? unneeded : kSlots);
  });
}

void Shelves::Flush() {
  ForEachClass([](SizeClass c) {
    Shrink(c, kSlots);
    ReturnOlder(c, Epoch() + 1);
  });
}

void Shelves::AddBlocks(uint64_t (&blocks)[kClassCount]) {
  ForEachClass([&blocks](SizeClass c) {
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      blocks[Index(c)] += ShelfOf(c).Held(slot);
    }
  });
}

size_t Shelves::Bytes() {
  uint64_t blocks[kClassCount] = {};
  AddBlocks(blocks);
  size_t bytes = 0;
  ForEachClass([&](SizeClass c) { bytes += blocks[Index(c)] * ClassBytes(c); });
  return bytes;
}

bool Shelves::MayHold() {
  return usable_bytes.load(std::memory_order_relaxed) != 0;
}

void Shelves::AbandonOtherThreads() {
  for (ClassShelf& shelf : shelves) shelf.ResetBusy();
}

void Shelves::Visit(Visitor visit, void* argument) {
  ForEachClass([=](SizeClass c) {
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      for (uint32_t i = 0; i < ShelfOf(c).Held(slot); ++i) {
        visit(c, reinterpret_cast<uintptr_t>(BatchesOf(c)[slot][i]), argument);
      }
    }
  });
}

}  // namespace hakmem
