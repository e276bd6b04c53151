#include "backend/bad_free.h"

#include <cstdlib>

#include "backend/emergency.h"
#include "base/options.h"
#include "tracing/counters.h"
#include "tracing/stack_trace.h"

namespace hakmem {

void AbortWith(LogLine& line) {
  line.Send();
  if constexpr (kTracing) {
    if (options::Get(options::k_abort_stack) != 0) {
      PrintStack(options::k_abort_stack);
    }
  }
  Emergency::Begin();
  abort();
}

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
  AbortWith(line);
}

void AbortOnForeignFree(uintptr_t address) {
  AbortWith(LogLine()
                .Text("invalid free of ")
                .Hex(address)
                .Text(": not an address that hakmem handed out"));
}

void AbortOnDoubleFree(uintptr_t address, size_t block_bytes) {
  AbortWith(LogLine()
                .Text("double free of ")
                .Hex(address)
                .Text(": the block of ")
                .Decimal(block_bytes)
                .Text(" bytes is free already"));
}

void AbortOnWriteAfterFree(uintptr_t address, size_t block_bytes) {
  AbortWith(LogLine()
                .Text("write after free to ")
                .Hex(address)
                .Text(": the block of ")
                .Decimal(block_bytes)
                .Text(" bytes has changed since it was freed"));
}

void AbortOnWrongSize(uintptr_t address, size_t told, size_t block_bytes) {
  AbortWith(LogLine()
                .Text("sized free of ")
                .Hex(address)
                .Text(": ")
                .Decimal(told)
                .Text(" bytes are not what the block of ")
                .Decimal(block_bytes)
                .Text(" bytes was asked for with"));
}

void AbortOnWrongAlignment(uintptr_t address, size_t alignment) {
  AbortWith(LogLine()
                .Text("aligned free of ")
                .Hex(address)
                .Text(": the block is not aligned to ")
                .Decimal(alignment)
                .Text(" bytes"));
}

}  // namespace hakmem
