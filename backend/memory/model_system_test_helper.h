// The system below a part of the back-end whose source a test runs in the
// interleaver: metadata from an array, a kernel whose calls take time, and a
// stopped clock. Include it after in_place_of_std.h and in_place_of_lock.h.
//
// Memory is modelled as one plain variable per place (a page, a block) that has
// been held. Its holder writes to it, and so does a purge. So memory that is
// handed out twice, purged while in use, or handed on without release and
// acquire is a data race or fails a Require.
#ifndef HAKMEM_BACKEND_MEMORY_MODEL_SYSTEM_TEST_HELPER_H_
#define HAKMEM_BACKEND_MEMORY_MODEL_SYSTEM_TEST_HELPER_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "backend/errors/error_reporting.h"
#include "backend/memory/metadata.h"
#include "backend/verify/heap_verifier.h"
#include "base/os/clock.h"
#include "base/os/os_memory.h"
#include "base/text/options.h"
#include "tests/interleaving/interleaver.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {
namespace model {

using interleaver::Require;

struct System {
  // Metadata: zeroed, allocated from the front.
  alignas(4096) char metadata[4 << 20];
  size_t metadata_used = 0;
  size_t metadata_kept = 0;  // of those: from before the runs

  std::map<uintptr_t, interleaver::Plain<int>> memory;  // by place; 0: zeros
  std::set<uintptr_t> held;                             // places in use
  bool purges_fail = false;
};

inline System& system_below = *new System;

// Keeps the metadata allocated so far for all runs.
inline void KeepMetadata() {
  system_below.metadata_kept =
      std::max(system_below.metadata_kept, system_below.metadata_used);
}

inline void BeginSystem() {
  System& s = system_below;
  memset(s.metadata + s.metadata_kept, 0, s.metadata_used - s.metadata_kept);
  s.metadata_used = s.metadata_kept;
  s.memory.clear();
  s.held.clear();
  s.purges_fail = false;
}

// A thread gets the place; `is_zero` says that it reads as zeros.
inline void Hold(uintptr_t place, bool is_zero) {
  Require(system_below.held.insert(place).second, "memory is handed out twice");
  interleaver::Plain<int>& memory = system_below.memory[place];
  if (is_zero) Require(memory == 0, "memory said to be zero is not");
  memory = 1;
}

// The holder writes to it for the last time.
inline void LetGo(uintptr_t place) {
  system_below.memory[place] = 1;
  system_below.held.erase(place);
}

// Zeroes all places in the range.
inline void GiveBack(uintptr_t address, size_t bytes) {
  for (auto at = system_below.memory.lower_bound(address);
       at != system_below.memory.end() && at->first < address + bytes; ++at) {
    Require(!system_below.held.contains(at->first),
            "memory in use is given back");
    at->second = 0;
  }
}

}  // namespace model

void* Metadata::Allocate(size_t bytes, size_t alignment) {
  model::System& s = model::system_below;
  s.metadata_used = (s.metadata_used + alignment - 1) & ~(alignment - 1);
  void* allocated = s.metadata + s.metadata_used;
  s.metadata_used += bytes;
  if (s.metadata_used > sizeof(s.metadata)) abort();
  return allocated;
}

void* Metadata::AllocatePages(size_t bytes) { return Allocate(bytes, 4096); }
bool Metadata::PurgePages(void*, size_t) { return false; }
bool AddressStack::Push(void*) { return spare_ != nullptr; }  // never
void* AddressStack::Pop() { return nullptr; }

size_t os::PageBytes() { return 4096; }

// Other threads run meanwhile.
int os::Purge(uintptr_t address, size_t bytes) {
  interleaver::Touch(&model::system_below);
  if (model::system_below.purges_fail) return ENOMEM;
  model::GiveBack(address, bytes);
  interleaver::Touch(&model::system_below);
  model::GiveBack(address, bytes);
  return 0;
}

uint64_t os::PurgeAll(std::span<const Range> ranges) {
  uint64_t done = 0;
  for (size_t i = 0; i < ranges.size(); ++i) {
    const bool is_done = Purge(ranges[i].address, ranges[i].bytes) == 0;
    done |= uint64_t{is_done} << i;
  }
  return done;
}

uint64_t CoarseMilliseconds() { return 1; }
uint64_t RecentMilliseconds() { return 1; }
uint64_t Nanoseconds() { return 1; }

constinit std::atomic<uint64_t> options::internal::values[kCount] = {};
constinit thread_local hakmem_failure_t internal::failure_note{};

// Any violated invariant fails the run.
constinit uintptr_t HeapVerifier::sorted_[kRoom] = {};
void HeapVerifier::Report(const char* fault, uintptr_t) {
  ++errors_;
  model::Require(false, fault);
}
void HeapVerifier::Report(const char* fault, uintptr_t where, uint64_t,
                          uint64_t) {
  Report(fault, where);
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_MODEL_SYSTEM_TEST_HELPER_H_
