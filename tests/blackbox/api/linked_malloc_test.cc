// A program linked with `malloc = "//:hakmem"` gets all its memory from the
// library that //backend selects, without a preload.
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "hakmem/hakmem.h"

namespace {

hakmem_stats_t Stats() {
  hakmem_stats_t stats;
  hakmem_stats(&stats, sizeof(stats));
  return stats;
}

// Hides a block from the compiler, which could remove its allocation.
template <typename T>
T Opaque(T value) {
  asm volatile("" : "+r"(value) : : "memory");
  return value;
}

// Expects that `allocate` takes at least `size` bytes from the library, and
// that `release` returns all of it.
template <typename Allocate, typename Release>
void ExpectMoves(size_t size, const Allocate& allocate,
                 const Release& release) {
  const uint64_t before = Stats().live_bytes;
  auto* block = Opaque(allocate());
  ASSERT_NE(block, nullptr);
  EXPECT_GE(Stats().live_bytes, before + size);
  release(block);
  EXPECT_EQ(Stats().live_bytes, before);
}

TEST(LinkedMallocTest, EveryWayToAllocateIsTheLibrarys) {
  for (const size_t size : {100u, 20000u, 5000000u}) {
    ExpectMoves(
        size, [&] { return malloc(size); }, free);
    ExpectMoves(
        size, [&] { return calloc(1, size); }, free);
    ExpectMoves(
        size, [&] { return realloc(nullptr, size); }, free);
    ExpectMoves(
        size, [&] { return reallocarray(nullptr, 1, size); }, free);
    ExpectMoves(
        size, [&] { return aligned_alloc(64, size); }, free);
    ExpectMoves(
        size, [&] { return memalign(64, size); }, free);
    ExpectMoves(
        size, [&] { return valloc(size); }, free);
    ExpectMoves(
        size, [&] { return new char[size]; },
        [](char* block) { delete[] block; });
    ExpectMoves(
        size, [&] { return ::operator new(size); },
        [](void* block) { ::operator delete(block); });
    ExpectMoves(
        size, [&] { return hakmem_malloc(size); }, free);
  }
}

TEST(LinkedMallocTest, LibcsOwnAllocationsAreTheLibrarys) {
  const std::string text(5000, 'x');
  ExpectMoves(
      5000, [&] { return strdup(text.c_str()); }, free);
  ExpectMoves(
      100, [] { return fopen("/proc/self/maps", "r"); },
      [](FILE* file) { fclose(file); });
}

TEST(LinkedMallocTest, ThreadsAllocateFromIt) {
  const uint64_t before = Stats().live_bytes;
  std::vector<void*> blocks(10000);
  std::vector<std::thread> threads(2);
  for (size_t t = 0; t < threads.size(); ++t) {
    threads[t] = std::thread([&blocks, t] {
      for (size_t i = t; i < blocks.size(); i += 2) blocks[i] = malloc(100);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(Stats().live_bytes, before + blocks.size() * 100);
  for (void* block : blocks) free(block);
}

TEST(LinkedMallocTest, ItSaysWhichBackEndWasLinked) {
  const std::string backend = Stats().backend;
  EXPECT_TRUE(backend == "segment" || backend == "superslab") << backend;
  EXPECT_NE(std::string(hakmem_version()).find("(" + backend + ","),
            std::string::npos);
}

}  // namespace
