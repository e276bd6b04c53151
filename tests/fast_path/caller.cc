// The program that trace.h traces: with an allocator preloaded, it brings the
// allocator into the state where a thread's bin serves the call, or cannot,
// announces the next function (measured_functions.h), and calls it. Needs only
// libc. Its only argument is the library that must be preloaded.
//
// Exit status: 0; 1 if the library does not replace malloc or a function
// misbehaves; 2 on bad use, including a CPU other than x86-64. Without a tracer
// SIGTRAP kills it.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hakmem/hakmem.h"
#include "tests/fast_path/measured_functions.h"

#if defined(__x86_64__)

namespace hakmem::bench {
namespace {

[[noreturn]] void Fail(const char* name, const char* what) {
  fprintf(stderr, "caller: %s %s\n", name, what);
  exit(1);
}

// The blocks of one size.
struct Misses {
  static constexpr size_t kMostBlocks = 512;

  size_t bytes;
  // Of the first blocks allocated, one in this many stays in use: all tiny
  // ones, in one slab that has room for more; some of each slab of mid blocks.
  size_t pin_every;
  size_t bin_slots;  // capacity of a bin of this size
  void* blocks[kMostBlocks];
};

class Caller {
 public:
  explicit Caller(const char* library) {
    for (size_t i = 0; i < kMeasuredFunctionCount; ++i) {
      functions_[i] = Find(kMeasuredFunctions[i].symbol, library);
    }
    new_ = reinterpret_cast<void* (*)(size_t)>(Find("_Znwm", library));
    collect_ =
        reinterpret_cast<decltype(collect_)>(Find("hakmem_collect", library));
    stats_ = reinterpret_cast<decltype(stats_)>(Find("hakmem_stats", library));
  }

  void Malloc() {
    void* const last = Block();
    free(last);
    Announce(kMalloc);
    void* const block = malloc(kMeasuredBytes);
    if (block != last) Fail("malloc", "did not return the block freed last");
    Fill(block);
    free(block);
  }

  void Free() {
    void* const block = Block();
    Announce(kFree);
    free(block);
    ComesNext(block, "free");
  }

  void SizedDelete() {
    void* const block = new_(kMeasuredBytes);
    Fill(block);
    Announce(kSizedDelete);
    reinterpret_cast<void (*)(void*, size_t)>(functions_[kSizedDelete])(
        block, kMeasuredBytes);
    ComesNext(block, "sized delete");
  }

  void Calloc() {
    void* const last = Block();
    free(last);
    Announce(kCalloc);
    void* const block = calloc(3, kMeasuredBytes / 3);
    if (block != last) Fail("calloc", "did not return the block freed last");
    for (size_t i = 0; i < kMeasuredBytes; ++i) {
      if (static_cast<char*>(block)[i] != 0) Fail("calloc", "left bytes");
    }
    free(block);
  }

  void Realloc() {
    void* const block = Block();
    Announce(kRealloc);
    void* const same = realloc(block, kMeasuredReallocBytes);
    if (same != block) Fail("realloc", "moved the block");
    Check(static_cast<char*>(same), kMeasuredReallocBytes, "realloc");
    free(same);
  }

  // malloc finds an empty bin, and slabs of its class with free blocks.
  void MallocMiss(MeasuredFunction function, size_t bytes) {
    Settle();
    const uint64_t refills = Stats().refills;
    Announce(function);
    void* const block = malloc(bytes);
    if (block == nullptr) Fail("malloc", "returned null");
    if (Stats().refills != refills + 1) Fail("malloc", "needed no refill");
    free(block);
  }

  // free finds a full bin.
  void FreeMiss(MeasuredFunction function, Misses& misses) {
    const size_t count = misses.bin_slots;
    for (size_t i = 0; i <= count; ++i) {
      misses.blocks[i] = malloc(misses.bytes);
    }
    Settle();
    for (size_t i = 0; i < count; ++i) free(misses.blocks[i]);
    const uint64_t drains = Stats().drains;
    Announce(function);
    free(misses.blocks[count]);
    if (Stats().drains != drains + 1) Fail("free", "drained no bin");
  }

  // A block of the size is cached since the last free.
  void MallocLarge() {
    KeepLarge();
    Announce(kMallocLarge);
    void* const block = malloc(kMeasuredLargeBytes);
    if (block == nullptr) Fail("malloc", "returned null");
    free(block);
  }

  void FreeLarge() {
    KeepLarge();
    void* const block = LargeBlock();
    // Waits for the clock's next tick in every round: the first thread that
    // finds a new tick stores it.
    usleep(20'000);
    Announce(kFreeLarge);
    free(block);
  }

  // Each round begins with a different number of calls: a thread looks at the
  // clock once per fixed number of calls, and must not do so in the same call
  // of every round.
  void Miss(int round) {
    round_ = round;
    MallocMiss(kMallocTinyMiss, tiny_.bytes);
    FreeMiss(kFreeTinyMiss, tiny_);
    MallocMiss(kMallocMidMiss, mid_.bytes);
    FreeMiss(kFreeMidMiss, mid_);
    MallocLarge();
    FreeLarge();
  }

  // Runs until bins are at their maximum. Blocks that stay in use keep slabs
  // from being released when a bin is emptied, and each round finds the same
  // ones.
  void WarmUpForMisses() {
    WarmUpForMisses(tiny_);
    WarmUpForMisses(mid_);
  }

  // Runs until the bin of this size is partly full and the thread's cache is
  // well past its start.
  void WarmUp() {
    constexpr size_t kBlocks = 64;
    void* blocks[kBlocks];
    for (int i = 0; i < 1000; ++i) {
      for (void*& block : blocks) block = Block();
      for (void* const block : blocks) free(block);
    }
    for (size_t i = 0; i < kBlocks / 2; ++i) blocks[i] = Block();
    for (size_t i = 0; i < kBlocks / 2; ++i) free(blocks[i]);
  }

 private:
  hakmem_stats_t Stats() {
    hakmem_stats_t stats;
    stats_(&stats, sizeof(stats));
    return stats;
  }

  void WarmUpForMisses(Misses& misses) {
    for (int i = 0; i < 32; ++i) {
      for (void*& block : misses.blocks) block = malloc(misses.bytes);
      for (void* const block : misses.blocks) free(block);
    }
    for (void*& block : misses.blocks) block = malloc(misses.bytes);
    for (size_t i = 0; i < Misses::kMostBlocks; ++i) {
      if (i % misses.pin_every != 0) free(misses.blocks[i]);
    }
    // Counts how many blocks an empty bin takes.
    for (void*& block : misses.blocks) block = malloc(misses.bytes);
    Settle();
    const uint64_t drains = Stats().drains;
    for (void* const block : misses.blocks) {
      free(block);
      if (Stats().drains == drains) ++misses.bin_slots;
    }
  }

  // Empties all bins and leaves hardly any free memory resident, so that the
  // thread does not watch the clock. The thread's first look at the clock is
  // over.
  void Settle() {
    collect_();
    for (int i = 0; i < 33 + round_; ++i) free(malloc(size_t{40} << 10));
  }

  void KeepLarge() {
    Settle();
    for (int i = 0; i < 4 + round_; ++i) free(LargeBlock());
  }

  static void* LargeBlock() {
    void* const block = malloc(kMeasuredLargeBytes);
    if (block == nullptr) Fail("malloc", "returned null");
    static_cast<char*>(block)[0] = 1;
    return block;
  }

  void* Find(const char* symbol, const char* library) {
    void* const function = dlsym(RTLD_DEFAULT, symbol);
    Dl_info info;
    if (function == nullptr || dladdr(function, &info) == 0) {
      Fail(symbol, "is not to be found");
    }
    struct stat found;
    struct stat wanted;
    if (stat(info.dli_fname, &found) != 0 || stat(library, &wanted) != 0 ||
        found.st_dev != wanted.st_dev || found.st_ino != wanted.st_ino) {
      fprintf(stderr, "caller: %s is of %s, not of %s\n", symbol,
              info.dli_fname, library);
      exit(1);
    }
    base_ = info.dli_fbase;
    return function;
  }

  void Announce(MeasuredFunction function) {
    asm volatile("int3"
                 :
                 : "D"(static_cast<uint64_t>(function)),
                   "S"(functions_[function]), "d"(base_)
                 : "memory");
  }

  static void Fill(void* block) { memset(block, 0x5a, kMeasuredBytes); }

  static void Check(const char* block, size_t bytes, const char* name) {
    for (size_t i = 0; i < bytes; ++i) {
      if (block[i] != 0x5a) Fail(name, "changed the block's contents");
    }
  }

  // A block that has been written to.
  static void* Block() {
    void* const block = malloc(kMeasuredBytes);
    if (block == nullptr) Fail("malloc", "returned null");
    Fill(block);
    return block;
  }

  // A bin is a stack: after `block` is freed, malloc must return it next.
  static void ComesNext(void* block, const char* name) {
    void* const next = malloc(kMeasuredBytes);
    if (next != block) Fail(name, "did not put the block into the bin");
    free(next);
  }

  void* functions_[kMeasuredFunctionCount];
  void* (*new_)(size_t);
  size_t (*collect_)();
  size_t (*stats_)(hakmem_stats_t*, size_t);
  void* base_;
  int round_ = 0;
  Misses tiny_ = {kMeasuredBytes, 1, 0, {}};
  Misses mid_ = {kMeasuredMidBytes, 4, 0, {}};
};

void Run(const char* library) {
  alarm(60);  // in case the caller hangs
  Caller caller(library);
  caller.WarmUp();
  for (int round = 0; round < kMeasuredRounds; ++round) {
    caller.Malloc();
    caller.Free();
    caller.SizedDelete();
    caller.Calloc();
    caller.Realloc();
  }
  caller.WarmUpForMisses();
  for (int round = 0; round < kMeasuredMissRounds; ++round) caller.Miss(round);
}

}  // namespace
}  // namespace hakmem::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "caller: give the library that is preloaded\n");
    return 2;
  }
  hakmem::bench::Run(argv[1]);
  return 0;
}

#else

int main() {
  fprintf(stderr, "caller: made for x86-64\n");
  return 2;
}

#endif
