#include "backend/bad_free.h"

#include "base/log.h"
#include "tracing/counters.h"

namespace hakmem {

void AbortOnBadSlabFree(const Slab& slab, uintptr_t address) {
  Count(Event::kFreeListFault);
  if (slab.BlockAt(address) != Slab::kNotABlock) {
    AbortOnDoubleFree(address, slab.block_bytes);
  }
  LogLine line;
  line.Text("invalid free of ").Hex(address);
  const uintptr_t offset = address - slab.base;
  const size_t used = size_t{slab.block_count} * slab.block_bytes;
  if (offset < used) {
    line.Text(": ")
        .Decimal(offset % slab.block_bytes)
        .Text(" bytes into a block of ")
        .Decimal(slab.block_bytes)
        .Text(" bytes at ")
        .Hex(address - offset % slab.block_bytes);
  } else {
    line.Text(": not a block of the slab at ").Hex(slab.base);
  }
  line.SendAndAbort();
}

void AbortOnForeignFree(uintptr_t address) {
  LogLine()
      .Text("invalid free of ")
      .Hex(address)
      .Text(": not an address that hakmem handed out")
      .SendAndAbort();
}

void AbortOnDoubleFree(uintptr_t address, size_t block_bytes) {
  LogLine()
      .Text("double free of ")
      .Hex(address)
      .Text(": the block of ")
      .Decimal(block_bytes)
      .Text(" bytes is free already")
      .SendAndAbort();
}

}  // namespace hakmem
