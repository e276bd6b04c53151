// PagemapEntry: what the pagemap knows about an address. Code that frees,
// measures or resizes a block looks the address up once and passes the result
// on.
//
// Lock-free; accepts any number. Whether a block in use starts there is decided
// by the part that owns the memory: the slab, the page heap, or Large.
#ifndef HAKMEM_BACKEND_MEMORY_PAGEMAP_ENTRY_H_
#define HAKMEM_BACKEND_MEMORY_PAGEMAP_ENTRY_H_

#include <cstdint>

#include "backend/memory/chunk.h"
#include "backend/memory/pagemap.h"
#include "base/size_classes.h"

namespace hakmem {

enum class PagemapEntryKind : uint8_t {
  kNone,   // nothing that the pagemap knows
  kSlab,   // a slab of a size class
  kSpan,   // a chunk of page spans
  kLarge,  // the start of a large block
};

// Two words, to be passed by value.
struct PagemapEntry {
  uintptr_t address = 0;

  PagemapEntry() = default;
  PagemapEntry(uintptr_t the_address, SizeClass c)
      : address(the_address), what_(Index(c)) {}
  PagemapEntry(uintptr_t the_address, Chunk* chunk)
      : address(the_address), what_(reinterpret_cast<uintptr_t>(chunk)) {}

  static PagemapEntry At(uintptr_t address) {
    const SizeClass c = Pagemap::ClassAt(address);
    return c != SizeClass::kNone
               ? PagemapEntry(address, c)
               : PagemapEntry(address, Pagemap::ChunkAt(address));
  }

  PagemapEntryKind kind() const {
    if (IsSlab()) return PagemapEntryKind::kSlab;
    if (what_ == 0) return PagemapEntryKind::kNone;
    switch (chunk()->kind) {
      case ChunkKind::kPages:
        return PagemapEntryKind::kSpan;
      case ChunkKind::kLarge:
        // It starts the chunk. After a shorter one come other mappings, even
        // the library's own: the small reserve, guarded blocks.
        return address % kChunkBytes == 0 ? PagemapEntryKind::kLarge
                                          : PagemapEntryKind::kNone;
      case ChunkKind::kSlabs:  // between its slabs, or without one
        break;
    }
    return PagemapEntryKind::kNone;
  }

  bool IsSlab() const { return what_ - 1 < kClassCount - 1; }
  SizeClass size_class() const {  // of kSlab
    return SizeClass{static_cast<uint8_t>(what_)};
  }
  Chunk* chunk() const {  // of kSpan and kLarge
    return reinterpret_cast<Chunk*>(what_);
  }

 private:
  // A class, where there is a slab; else a chunk, or null. No chunk's metadata
  // lies at so low an address.
  uintptr_t what_ = 0;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_PAGEMAP_ENTRY_H_
