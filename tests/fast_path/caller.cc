// The program traced by trace.h: with an allocator preloaded, it brings the
// allocator into the state where a thread's bin serves the call, announces the
// next function (measured_functions.h) and calls it. Needs only libc. Its only
// argument is the library that must be preloaded.
//
// Exit status: 0; 1 if the library does not replace malloc or a function
// misbehaves; 2 on bad use, which includes a CPU other than x86-64. Without a
// tracer it dies of SIGTRAP.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fast_path/measured_functions.h"

#if defined(__x86_64__)

namespace hakmem::bench {
namespace {

[[noreturn]] void Fail(const char* name, const char* what) {
  fprintf(stderr, "caller: %s %s\n", name, what);
  exit(1);
}

class Caller {
 public:
  explicit Caller(const char* library) {
    for (size_t i = 0; i < kMeasuredFunctionCount; ++i) {
      functions_[i] = Find(kMeasuredFunctions[i].symbol, library);
    }
    new_ = reinterpret_cast<void* (*)(size_t)>(Find("_Znwm", library));
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

  // Until the bin of this size is partly full and the thread's cache fully
  // initialised.
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
  void* base_;
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
