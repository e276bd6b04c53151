// An invalid free ends the program with one line on stderr that names the
// address.
#include <sys/mman.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// Frees `address` in a child and expects the report. `after` runs next, for
// errors that are detected only when the block moves on.
void ExpectAborts(
    void* address, const std::function<void(void*)>& free_it,
    const std::function<void()>& after = [] {}) {
  const ChildResult child = RunForked([&] {
    free_it(Opaque(address));
    after();
  });
  EXPECT_EQ(child.signal, SIGABRT) << "exit code " << child.exit_code;
  char hex[32];
  snprintf(hex, sizeof(hex), "0x%zx", reinterpret_cast<uintptr_t>(address));
  EXPECT_NE(child.err.find(hex), std::string::npos) << hex << ":" << child.err;
  EXPECT_EQ(child.err.rfind("hakmem:", 0), 0u) << child.err;
  EXPECT_EQ(child.err.find('\n'), child.err.size() - 1) << child.err;
}

void PlainFree(void* address) { free(address); }

// Every function that can be passed a bad address.
const std::vector<std::pair<const char*, std::function<void(void*)>>>&
EveryFree() {
  static const std::vector<std::pair<const char*, std::function<void(void*)>>>
      all = {
          {"free", PlainFree},
          {"hakmem_free", [](void* p) { Hakmem().free(p); }},
          {"hakmem_free_sized", [](void* p) { Hakmem().free_sized(p, 32); }},
          {"delete", [](void* p) { ::operator delete(p); }},
          {"delete[]", [](void* p) { ::operator delete[](p); }},
          {"sized delete", [](void* p) { ::operator delete (p, size_t{32}); }},
          {"aligned delete",
           [](void* p) { ::operator delete(p, std::align_val_t(64)); }}};
  return all;
}

// Returns a function that moves a freed block of `size` back to its source:
// frees more blocks of that size than any bin holds, then flushes the bins.
std::function<void()> Drain(size_t size) {
  return [size] {
    std::vector<void*> blocks(20000);
    for (void*& block : blocks) block = malloc(size);
    for (void* block : blocks) free(block);
    Hakmem().collect();
  };
}

alignas(64) char static_data[256];
const char constant_data[] = "constant";

TEST(BadFreeTest, OfMemoryThatIsNotTheLibrarys) {
  alignas(64) char on_stack[256];
  for (const auto& [name, free_it] : EveryFree()) {
    SCOPED_TRACE(name);
    ExpectAborts(on_stack + 64, free_it);
    ExpectAborts(static_data, free_it);
    ExpectAborts(static_data + 16, free_it);
    ExpectAborts(const_cast<char*>(constant_data), free_it);
    ExpectAborts(reinterpret_cast<void*>(&PlainFree), free_it);
  }
}

TEST(BadFreeTest, OfNumbersThatAreNoAddress) {
  for (const uintptr_t number :
       {uintptr_t{1}, uintptr_t{8}, uintptr_t{16}, uintptr_t{0x1000},
        uintptr_t{0x12345}, uintptr_t{0xdead000000000000},
        uintptr_t{0xdead00000000beef}, uintptr_t{0x0000800000000000},
        uintptr_t{0x0001000000000000}, uintptr_t{0x7fffffffffffffff},
        uintptr_t{0x8000000000000000}, ~uintptr_t{0}, ~uintptr_t{15}}) {
    ExpectAborts(reinterpret_cast<void*>(number), PlainFree);
  }
}

TEST(BadFreeTest, OfAnAddressWithStrayHighBits) {
  // Like a tagged pointer with the tag left on.
  for (const size_t size : {64u, 20000u, 5000000u}) {
    void* block = malloc(size);
    ASSERT_NE(block, nullptr);
    const auto address = reinterpret_cast<uintptr_t>(block);
    ExpectAborts(reinterpret_cast<void*>(address | uintptr_t{1} << 48),
                 PlainFree);
    ExpectAborts(reinterpret_cast<void*>(address | uintptr_t{1} << 63),
                 PlainFree);
    free(block);
  }
}

TEST(BadFreeTest, OfAMappingOfTheProgram) {
  constexpr size_t kSize = 8 * kMiB;
  char* mapping =
      static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(mapping, MAP_FAILED);
  ExpectAborts(mapping, PlainFree);
  ExpectAborts(mapping + 4096, PlainFree);
  ExpectAborts(mapping + 4096 + 16, PlainFree);
  ExpectAborts(mapping + kSize - 16, PlainFree);
  munmap(mapping, kSize);
  ExpectAborts(mapping, PlainFree);
}

TEST(BadFreeTest, OfTheMiddleOfASmallBlock) {
  for (const size_t size : {48u, 64u, 512u, 1000u}) {
    char* block = static_cast<char*>(malloc(size));
    ASSERT_NE(block, nullptr);
    for (const size_t offset : {1u, 8u, 16u, 24u, 32u}) {
      SCOPED_TRACE(testing::Message() << size << " + " << offset);
      ExpectAborts(block + offset, PlainFree, Drain(size));
    }
    free(block);
  }
}

TEST(BadFreeTest, OfTheMiddleOfASmallBlockByAnotherThreadsBlock) {
  // The last place to detect such an address is its own slab, which belongs to
  // a thread that is still running.
  char* block = static_cast<char*>(malloc(64));
  ASSERT_NE(block, nullptr);
  ExpectAborts(block + 16, [](void* address) {
    std::thread other([address] {
      free(address);
      Drain(64)();
    });
    other.join();
    Drain(64)();
  });
  free(block);
}

TEST(BadFreeTest, OfTheMiddleOfASpan) {
  for (const size_t size : {20 * kKiB, 100 * kKiB, 600 * kKiB}) {
    char* block = static_cast<char*>(malloc(size));
    ASSERT_NE(block, nullptr);
    for (const size_t offset :
         {size_t{8}, size_t{16}, size_t{4096}, size / 2, size - 16}) {
      SCOPED_TRACE(testing::Message() << size << " + " << offset);
      ExpectAborts(block + offset, PlainFree, [] { Hakmem().collect(); });
    }
    free(block);
  }
}

TEST(BadFreeTest, OfTheMiddleOfALargeBlock) {
  for (const size_t size : {3 * kMiB, 8 * kMiB, 100 * kMiB}) {
    char* block = static_cast<char*>(malloc(size));
    ASSERT_NE(block, nullptr);
    for (const size_t offset :
         {size_t{8}, size_t{16}, size_t{4096}, size_t{64} * kKiB,
          size_t{2} * kMiB, size / 2, size - 16}) {
      SCOPED_TRACE(testing::Message() << size << " + " << offset);
      ExpectAborts(block + offset, PlainFree);
    }
    free(block);
  }
}

TEST(BadFreeTest, TwiceInARow) {
  for (const size_t size : {size_t{1}, size_t{16}, size_t{64}, size_t{1000},
                            size_t{1040}, size_t{5000}, 20 * kKiB, 100 * kKiB,
                            600 * kKiB, 3 * kMiB, 8 * kMiB, 100 * kMiB}) {
    for (const auto& [name, free_it] : EveryFree()) {
      SCOPED_TRACE(testing::Message() << name << " " << size);
      // In the child, the first free is valid; the second is not.
      void* block = malloc(size);
      ASSERT_NE(block, nullptr);
      ExpectAborts(block, [&free_it = free_it](void* address) {
        free(address);
        free_it(Opaque(address));
      });
      free(block);
    }
  }
}

TEST(BadFreeTest, TwiceWithTheBlockDrainedInBetween) {
  for (const size_t size : {size_t{64}, size_t{1000}, 20 * kKiB, 3 * kMiB}) {
    SCOPED_TRACE(size);
    void* block = malloc(size);
    ASSERT_NE(block, nullptr);
    ExpectAborts(
        block,
        [](void* address) {
          free(address);
          Hakmem().collect();
          free(Opaque(address));
        },
        [] { Hakmem().collect(); });
    free(block);
  }
}

TEST(BadFreeTest, GoodFreesPass) {
  // The same child, with valid frees only, must not abort.
  const ChildResult child = RunForked([] {
    for (const auto& [name, free_it] : EveryFree()) {
      // Matching allocations: hardened builds check (mismatch_test.cc).
      if (strcmp(name, "aligned delete") == 0) {
        free_it(::operator new(64, std::align_val_t(64)));
      } else if (strcmp(name, "delete[]") == 0) {
        free_it(::operator new[](32));
      } else if (strstr(name, "delete") != nullptr) {
        free_it(::operator new(32));
      } else {
        free_it(malloc(32));
      }
    }
    Drain(64)();
    Drain(1000)();
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err, "");
}

}  // namespace
}  // namespace hakmem_test
