#include "backend/errors/emergency.h"

#include <algorithm>
#include <atomic>

#include "base/os/os_memory.h"

namespace hakmem {
namespace {

// Only what is used becomes resident. If the OS refuses, tries less.
constexpr size_t kMaxBytes = size_t{256} << 20;
constexpr size_t kMinBytes = size_t{64} << 10;

// Pieces are multiples of this; so is the space for the size before each.
constexpr size_t kGrain = 16;

// The mapping; its size is written before its address is published. Several
// threads may abort at the same time: the one that sets `claimed` maps it.
constinit std::atomic<bool> claimed{false};
constinit size_t mapped_bytes = 0;
constinit std::atomic<uintptr_t> mapping{0};
// Bytes of the mapping in use, from its start.
constinit std::atomic<size_t> used{0};

constinit std::atomic<void (*)()> when_begun{nullptr};

void MapOnce() {
  // relaxed: it publishes no data.
  if (claimed.exchange(true, std::memory_order_relaxed)) return;
  for (size_t bytes = kMaxBytes; bytes >= kMinBytes; bytes /= 4) {
    const os::Mapping made =
        os::Map(bytes, os::PageBytes(), os::Access::kReadWrite);
    if (!made) continue;
    mapped_bytes = bytes;
    // release: pairs with the acquire in Mapped.
    mapping.store(made.address, std::memory_order_release);
    return;
  }
}

// acquire: pairs with the release in MapOnce.
uintptr_t Mapped() { return mapping.load(std::memory_order_acquire); }

size_t& SizeBefore(uintptr_t address) {
  return *reinterpret_cast<size_t*>(address - sizeof(size_t));
}

}  // namespace

void Emergency::SetBeginCallback(void (*take_over)()) {
  // relaxed, here and below: a function pointer, set when the process began.
  when_begun.store(take_over, std::memory_order_relaxed);
}

void Emergency::Begin() {
  MapOnce();
  if (auto* take_over = when_begun.load(std::memory_order_relaxed)) take_over();
}

void* Emergency::Allocate(size_t bytes, size_t alignment) {
  const uintptr_t start = Mapped();
  if (start == 0 || bytes > mapped_bytes || alignment > mapped_bytes) {
    return nullptr;
  }
  bytes = (std::max(bytes, kGrain) + kGrain - 1) & ~(kGrain - 1);
  alignment = std::max(alignment, kGrain);
  size_t before = used.load(std::memory_order_relaxed);
  uintptr_t address = 0;
  size_t after = 0;
  do {
    address =
        (start + before + kGrain + alignment - 1) & ~uintptr_t{alignment - 1};
    after = address + bytes - start;
    if (after > mapped_bytes) return nullptr;
    // relaxed: it only assigns the piece, which no one has used yet.
  } while (
      !used.compare_exchange_weak(before, after, std::memory_order_relaxed));
  SizeBefore(address) = bytes;
  return reinterpret_cast<void*>(address);
}

size_t Emergency::BytesAt(uintptr_t address) {
  const uintptr_t start = Mapped();
  if (start == 0 || address % kGrain != 0 || address <= start ||
      address - start >= used.load(std::memory_order_relaxed)) {
    return 0;
  }
  return SizeBefore(address);
}

}  // namespace hakmem
