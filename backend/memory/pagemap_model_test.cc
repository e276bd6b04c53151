// Runs the pagemap under every interleaving of threads that enter chunks and
// threads that look up addresses without a lock, on a memory as weak as C11's
// (testing/interleaver).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>

// First the replacements of atomics and locks.
#include "tests/interleaving/in_place_of_lock.h"
#include "tests/interleaving/in_place_of_std.h"
//
#include "backend/memory/pagemap.cc"
#include "tests/interleaving/mutants.h"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Plain;
using interleaver::Require;
using interleaver::Result;
using interleaver::Survivors;
using interleaver::Threads;

constexpr SizeClass kClass = ClassOf(64);
constexpr uintptr_t kBase = uintptr_t{1} << 40;

// Memory for the pagemap's leaves: zeroed, allocated from the front.
struct MetadataArea {
  alignas(4096) char memory[256 << 10];
  size_t used;
};

MetadataArea& metadata = *new MetadataArea;

// Explicit instantiation may name private members.
template <std::atomic<const Pagemap::Window*>* kWindow,
          const Pagemap::Window* kNoWindow, auto kRoot>
struct Expose {
  friend void ForgetLeaf(uintptr_t address) {
    (*kRoot)[address >> Pagemap::kLeafShift].store(0);
  }
  friend std::atomic<const Pagemap::Window*>* Window() { return kWindow; }
  friend const Pagemap::Window* NoWindow() { return kNoWindow; }
};
std::atomic<const Pagemap::Window*>* Window();
const Pagemap::Window* NoWindow();
void ForgetLeaf(uintptr_t address);
template struct Expose<&Pagemap::window_, &Pagemap::no_window_,
                       &Pagemap::root_>;

// Tables for threads that place the window at the same time: of the smallest
// size, as under a limit, so with one leaf each.
struct Tables {
  alignas(4096)
      uint8_t classes[4][Pagemap::kMinWindowBytes >> Pagemap::kGranuleShift];
  size_t used;
};

Tables& tables = *new Tables;

// A window outside the addresses the runs use.
constexpr Pagemap::Window kElsewhere{};

struct TestChunk : Chunk {
  Plain<int> fields;  // stands for the chunk's metadata
};

}  // namespace

void* Metadata::Allocate(size_t bytes, size_t alignment) {
  metadata.used = (metadata.used + alignment - 1) & ~(alignment - 1);
  void* allocated = metadata.memory + metadata.used;
  metadata.used += bytes;
  if (metadata.used > sizeof(metadata.memory)) abort();
  return allocated;
}

namespace os {

size_t PageBytes() { return 4096; }
uint64_t AddressSpaceLimit() { return 16 << 20; }
Mapping Map(size_t bytes, size_t, Access) {
  if (bytes != sizeof(tables.classes[0])) abort();
  return {reinterpret_cast<uintptr_t>(tables.classes[tables.used++ % 4])};
}
int AdviseNoHugePages(uintptr_t, size_t) { return 0; }
int Commit(uintptr_t, size_t) { return 0; }
void Release(uintptr_t, size_t) {}

}  // namespace os

namespace {

struct State {
  TestChunk chunks[2];
  std::atomic<uintptr_t> block{0};  // passed from thread to thread
};

class PagemapModel : public testing::Test {
 protected:
  // Resets the pagemap: nothing entered, no leaf, and the window not placed
  // yet, or elsewhere.
  void Begin(bool in_window) {
    memset(metadata.memory, 0, metadata.used);
    metadata.used = 0;
    ForgetLeaf(kBase);
    memset(tables.classes, 0, sizeof(tables.classes));
    Window()->store(in_window ? NoWindow() : &kElsewhere);
    state_ = std::make_unique<State>();
  }

  // What AddChunk and SlabSource::Take do.
  void Enter(int number) {
    TestChunk& chunk = state_->chunks[number];
    chunk.fields = 1;
    Require(Pagemap::SetChunk(Address(number), &chunk), "no memory");
    Pagemap::SetClass(Address(number), kClass);
  }

  static uintptr_t Address(int number) { return kBase + number * kChunkBytes; }

  // A thread that was handed a block frees it.
  void FreeHandedBlock() {
    const uintptr_t block = state_->block.load(std::memory_order_acquire);
    if (block == 0) return;
    ++handed_;
    Require(Pagemap::ClassAt(block) == kClass, "the class is not there yet");
    Require(Pagemap::ChunkAt(block) == &state_->chunks[0],
            "the chunk is not there yet");
    Require(state_->chunks[0].fields == 1, "the chunk is empty");
  }

  // Looks up any address: null, or a chunk whose fields may be read.
  void LookUp(int number) {
    auto* chunk = static_cast<TestChunk*>(Pagemap::ChunkAt(Address(number)));
    if (chunk == nullptr) return;
    Require(chunk == &state_->chunks[number], "another chunk");
    Require(chunk->fields == 1, "the chunk is empty");
  }

  // Two threads enter chunks of one leaf at the same time, a third frees a
  // block of the first, and a fourth looks up an address it was not passed.
  Result EnterTwo(bool in_window, const Options& options) {
    return Explore(
        [=, this] {
          Begin(in_window);
          return Threads{[this] {
                           Enter(0);
                           state_->block.store(Address(0),
                                               std::memory_order_release);
                         },
                         [this] { Enter(1); }, [this] { FreeHandedBlock(); },
                         [this] { LookUp(1); }};
        },
        [this] {
          for (int number : {0, 1}) {
            Require(
                Pagemap::ChunkAt(Address(number)) == &state_->chunks[number],
                "a chunk is lost with a leaf");
            Require(Pagemap::ClassAt(Address(number)) == kClass,
                    "a class is lost with a leaf");
          }
        },
        options);
  }

  std::unique_ptr<State> state_;
  int64_t handed_ = 0;
};

TEST_F(PagemapModel, NothingIsLostWhenALeafIsMadeTwice) {
  const Result result = EnterTwo(/*in_window=*/false, {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 100);
  EXPECT_GE(handed_, 20);
}

TEST_F(PagemapModel, TheWindowIsPlacedOnceAndAllSeeItInTime) {
  const Result result = EnterTwo(/*in_window=*/true, {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 100);
}

// A slab is freed and reused for another class. A thread that is passed a block
// sees the new class.
TEST_F(PagemapModel, AClassThatChangesIsSeenInTime) {
  constexpr SizeClass kLater = ClassOf(128);
  const Result result = Explore(
      [=, this] {
        Begin(/*in_window=*/true);
        Enter(0);
        return Threads{[this] {
                         Pagemap::SetClass(Address(0), SizeClass::kNone);
                         Pagemap::SetClass(Address(0), kLater);
                         state_->block.store(Address(0),
                                             std::memory_order_release);
                       },
                       [this] {
                         const uintptr_t block =
                             state_->block.load(std::memory_order_acquire);
                         if (block == 0) return;
                         Require(Pagemap::ClassAt(block) == kLater,
                                 "an old class is seen");
                       }};
      },
      [] {});
  EXPECT_TRUE(result.passed) << result.failure;
}

TEST_F(PagemapModel, NeedsItsMemoryOrders) {
  const auto explore = [this](const Options& options) {
    return EnterTwo(/*in_window=*/false, options);
  };
  // A leaf is zeros from the kernel, so seeing it early does no harm here; a
  // chunk has fields. The window has fields too, but not Plain ones, so the
  // test cannot show that its two acquire loads matter.
  EXPECT_THAT(
      interleaver::WeakenEach("pagemap.cc", explore).texts,
      testing::ElementsAre("pagemap.cc compare_exchange release -> relaxed",
                           "pagemap.cc load acquire -> relaxed"));
  EXPECT_THAT(interleaver::WeakenEach("pagemap.h", explore).texts,
              testing::ElementsAre("pagemap.h load acquire -> relaxed",
                                   "pagemap.h load acquire -> relaxed"));
}

}  // namespace
}  // namespace hakmem
