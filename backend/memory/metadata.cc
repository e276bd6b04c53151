#include "backend/memory/metadata.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "backend/memory/huge_pages.h"
#include "base/os/os_memory.h"
#include "tracing/counters/counters.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {
namespace {

// Small enough for a limited address space, large enough that a heap of many
// GiB needs few mappings.
constexpr size_t kStepBytes = size_t{1} << 20;

// The free part of the newest step. Pages are cut from its end, all else from
// its front, so that small metadata lies together.
constinit Mutex mutex;
constinit uintptr_t next ABSL_GUARDED_BY(mutex) = 0;
constinit uintptr_t end ABSL_GUARDED_BY(mutex) = 0;
constinit size_t bytes_in_use ABSL_GUARDED_BY(mutex) = 0;
constinit size_t bytes_reserved ABSL_GUARDED_BY(mutex) = 0;

size_t RoundToPages(size_t bytes) {
  const size_t page = os::PageBytes();
  return (bytes + page - 1) & ~(page - 1);
}

bool AddStep(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  const size_t page = os::PageBytes();
  const size_t least = RoundToPages(bytes);
  for (size_t step = std::max(kStepBytes, least);;
       step = std::max(step / 4, least)) {
    Count(Event::kMapCall);
    const os::Mapping m = os::Map(step, page, os::Access::kReadWrite);
    if (m) {
      // Metadata is dense, but that of one chunk is far below a huge page.
      HugePages::AdviseSparse(m.address, step);
      bytes_reserved += step;
      if (m.address != end) next = m.address;
      end = m.address + step;
      return true;
    }
    Count(Event::kMapFailure);
    if (step == least) {
      NoteMapFail(HAKMEM_OS_REQUEST_METADATA, m.error, m.refused);
      return false;
    }
  }
}

}  // namespace

void* Metadata::AllocatePages(size_t bytes) {
  const size_t size = RoundToPages(bytes);
  MutexLock lock(mutex);
  if (next + size > end && !AddStep(size)) return nullptr;
  end -= size;
  bytes_in_use += size;
  return reinterpret_cast<void*>(end);
}

bool Metadata::PurgePages(void* pages, size_t bytes) {
  return os::Purge(reinterpret_cast<uintptr_t>(pages), RoundToPages(bytes)) ==
         0;
}

bool AddressStack::Push(void* address) {
  if (top_ == nullptr || top_->count == Page::kRoom) {
    Page* page = spare_;
    if (page != nullptr) {
      spare_ = page->below;
    } else {
      page =
          static_cast<Page*>(Metadata::Allocate(sizeof(Page), alignof(Page)));
    }
    if (page == nullptr) return false;
    page->below = top_;
    page->count = 0;
    top_ = page;
  }
  top_->addresses[top_->count++] = address;
  return true;
}

void* AddressStack::Pop() {
  if (top_ == nullptr) return nullptr;
  void* address = top_->addresses[--top_->count];
  if (top_->count == 0) {
    Page* empty = std::exchange(top_, top_->below);
    empty->below = spare_;
    spare_ = empty;
  }
  return address;
}

void* Metadata::Allocate(size_t bytes, size_t alignment) {
  MutexLock lock(mutex);
  uintptr_t start = (next + alignment - 1) & ~(uintptr_t{alignment} - 1);
  if (start + bytes > end) {
    if (!AddStep(bytes)) return nullptr;
    start = (next + alignment - 1) & ~(uintptr_t{alignment} - 1);
  }
  next = start + bytes;
  bytes_in_use += bytes;
  return reinterpret_cast<void*>(start);
}

size_t Metadata::BytesInUse() {
  MutexLock lock(mutex);
  return bytes_in_use;
}

size_t Metadata::BytesReserved() {
  MutexLock lock(mutex);
  return bytes_reserved;
}

void Metadata::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex.Lock(); }
void Metadata::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  mutex.Unlock();
}

}  // namespace hakmem
