#include "backend/memory/pagemap.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "backend/memory/metadata.h"
#include "base/os/os_memory.h"
#include "base/sync/lock.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {

constinit const Pagemap::Window Pagemap::no_window_{};
constinit const Pagemap::Window Pagemap::refused_window_{};
constinit std::atomic<const Pagemap::Window*> Pagemap::window_{&no_window_};
constinit Pagemap::Leaf Pagemap::zero_leaf_{};
constinit std::atomic<intptr_t> Pagemap::root_[kRootEntries]{};
constinit std::atomic<Pagemap::HighRoot*> Pagemap::high_root_{nullptr};

// --- The window --------------------------------------------------------------

const Pagemap::Window& Pagemap::PlaceWindow(uintptr_t address) {
  // acquire: as in ClassEntry.
  const Window* window = window_.load(std::memory_order_acquire);
  return window != &no_window_ ? *window : MakeWindow(address);
}

const Pagemap::Window& Pagemap::MakeWindow(uintptr_t address) {
  auto* made =
      static_cast<Window*>(Metadata::Allocate(sizeof(Window), alignof(Window)));
  if (made == nullptr) return no_window_;
  // The mappings of a process mostly lie side by side: under a limit, within a
  // few times the limit.
  const uint64_t limit = os::AddressSpaceLimit();
  uintptr_t bytes = limit >= kMaxWindowBytes / 8
                        ? kMaxWindowBytes
                        : std::max(std::bit_ceil(limit * 8), kMinWindowBytes);
  os::Mapping table;
  for (; bytes >= kMinWindowBytes; bytes /= 2) {
    table = os::Map(bytes >> kGranuleShift, os::PageBytes(), os::Access::kRead);
    if (table) break;
  }
  // Few of its pages are ever used, so a huge page would waste most of 2 MiB.
  if (table) {
    (void)os::AdviseNoHugePages(table.address, bytes >> kGranuleShift);
  }
  const Window* placed = &refused_window_;
  if (table) {
    // The kernel mostly hands out addresses from the top down: three quarters
    // of the window lie below the first chunk.
    const uintptr_t below = bytes / 4 * 3;
    made->base = address < below
                     ? 0
                     : (address - below) & ~((uintptr_t{1} << kLeafShift) - 1);
    made->granules = bytes >> kGranuleShift;
    made->classes = reinterpret_cast<const uint8_t*>(table.address);
    placed = made;
  }
  const Window* present = &no_window_;
  // release: pairs with the acquire in ClassEntry. The loser of the race leaves
  // 24 bytes unused.
  if (window_.compare_exchange_strong(present, placed,
                                      std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
    return *placed;
  }
  if (table) os::Release(table.address, bytes >> kGranuleShift);
  return *present;
}

bool Pagemap::OpenClasses(uintptr_t address) {
  const Window& window = PlaceWindow(address);
  if (&window == &no_window_) return false;
  const uintptr_t leaf = address & ~((uintptr_t{1} << kLeafShift) - 1);
  if (!IsInWindow(window, leaf)) return true;
  const int error = os::Commit(reinterpret_cast<uintptr_t>(window.classes) +
                                   ((leaf - window.base) >> kGranuleShift),
                               kGranulesPerLeaf);
  if (error != 0)
    NoteMapFail(HAKMEM_OS_REQUEST_METADATA, error, kGranulesPerLeaf);
  return error == 0;
}

// --- Beyond the root ---------------------------------------------------------

namespace {

constexpr int kNodeShift = 39;

// Returns what `entry` points at, allocated if need be; null when the OS
// refuses. Metadata is zeroed; a constructor would touch all of it.
template <typename T>
T* GetOrMake(std::atomic<T*>& entry) {
  // acquire: pairs with the release below; the object reads as zeros until
  // others have written to it.
  T* present = entry.load(std::memory_order_acquire);
  if (present != nullptr) return present;
  T* made = static_cast<T*>(Metadata::Allocate(sizeof(T), alignof(T)));
  if (made == nullptr) return nullptr;
  // The loser of the race leaves its object unused.
  return entry.compare_exchange_strong(present, made, std::memory_order_acq_rel,
                                       std::memory_order_acquire)
             ? made
             : present;
}

}  // namespace

struct Pagemap::HighNode {
  std::atomic<Leaf*> leaves[size_t{1} << (kNodeShift - kLeafShift)];

  std::atomic<Leaf*>& LeafOf(uintptr_t address) {
    return leaves[(address >> kLeafShift) % std::size(leaves)];
  }
};

struct Pagemap::HighRoot {
  std::atomic<HighNode*> nodes[size_t{1} << (kAddressBits - kNodeShift)];
};

const Pagemap::Leaf& Pagemap::HighLeafAt(uintptr_t address) {
  if (address >> kAddressBits != 0) return zero_leaf_;
  // acquire: as in GetOrMake, for all three loads.
  HighRoot* root = high_root_.load(std::memory_order_acquire);
  if (root == nullptr) return zero_leaf_;
  HighNode* node =
      root->nodes[address >> kNodeShift].load(std::memory_order_acquire);
  if (node == nullptr) return zero_leaf_;
  const Leaf* leaf = node->LeafOf(address).load(std::memory_order_acquire);
  return leaf == nullptr ? zero_leaf_ : *leaf;
}

Chunk* Pagemap::HighChunkAt(uintptr_t address) {
  // acquire: as in ChunkAt.
  return HighLeafAt(address)
      .chunk[(address >> kChunkShift) & (kChunksPerLeaf - 1)]
      .load(std::memory_order_acquire);
}

const uint8_t* Pagemap::HighClassEntry(uintptr_t address) {
  return &HighLeafAt(address)
              .far_class[(address >> kGranuleShift) & (kGranulesPerLeaf - 1)];
}

Pagemap::Leaf* Pagemap::MakeHighLeaf(uintptr_t address) {
  if (address >> kAddressBits != 0 || !OpenClasses(address)) return nullptr;
  HighRoot* root = GetOrMake(high_root_);
  if (root == nullptr) return nullptr;
  HighNode* node = GetOrMake(root->nodes[address >> kNodeShift]);
  return node == nullptr ? nullptr : GetOrMake(node->LeafOf(address));
}

// --- Entering ----------------------------------------------------------------

Pagemap::Leaf* Pagemap::MakeLeaf(uintptr_t address) {
  if (!OpenClasses(address)) return nullptr;
  // Fresh metadata is zeros, which is an empty leaf; a constructor would touch
  // all of it.
  Leaf* leaf =
      static_cast<Leaf*>(Metadata::Allocate(sizeof(Leaf), alignof(Leaf)));
  if (leaf == nullptr) return nullptr;
  intptr_t expected = 0;
  // release: pairs with the acquire in LeafAt: threads that see the leaf may
  // write the classes of its addresses. The loser of the race leaves a leaf
  // unused; both are zeros, so either may win.
  root_[address >> kLeafShift].compare_exchange_strong(
      expected,
      reinterpret_cast<intptr_t>(leaf) -
          reinterpret_cast<intptr_t>(&zero_leaf_),
      std::memory_order_release, std::memory_order_relaxed);
  return const_cast<Leaf*>(&LeafAt(address));
}

bool Pagemap::SetChunk(uintptr_t address, Chunk* chunk) {
  const bool is_high = address >> kRootBits != 0;
  Leaf* leaf =
      const_cast<Leaf*>(is_high ? &HighLeafAt(address) : &LeafAt(address));
  if (leaf == &zero_leaf_) {
    if (chunk == nullptr) return true;
    leaf = is_high ? MakeHighLeaf(address) : MakeLeaf(address);
    if (leaf == nullptr) return false;
  }
  leaf->chunk[(address >> kChunkShift) & (kChunksPerLeaf - 1)]
      // release: pairs with the acquire in ChunkAt.
      .store(chunk, std::memory_order_release);
  return true;
}

}  // namespace hakmem
