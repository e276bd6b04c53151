#include "backend/errors/error_reporting.h"

#include <cstdlib>

#include "backend/errors/block_call.h"
#include "backend/errors/emergency.h"
#include "base/build_config.h"
#include "base/text/options.h"
#include "tracing/stacks/stack_trace.h"

namespace hakmem {
namespace {

// The start of a line: "double free of A", "double free of A by operator
// delete", "realloc of A".
LogLine& Begin(LogLine& line, const char* kind, uintptr_t address) {
  const BlockCall call = BlockCallScope::Of(address);
  line.Text(FreesBlock(call) ? kind : NameOf(call)).Text(" of ").Hex(address);
  if (FreesBlock(call) && call != BlockCall::kFree) {
    line.Text(" by ").Text(NameOf(call));
  }
  return line;
}

// The same for an error that has no name.
LogLine& Begin(LogLine& line, uintptr_t address) {
  return line.Text(NameOf(BlockCallScope::Of(address)))
      .Text(" of ")
      .Hex(address);
}

}  // namespace

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

void AbortOnBadSlabFree(const SlabLayout& slab, uintptr_t address) {
  const uintptr_t offset = address - slab.base;
  const size_t into_block = offset % slab.block_bytes;
  const bool is_in_block = offset < slab.block_count * slab.block_bytes;
  if (is_in_block && into_block == 0) {
    AbortOnDoubleFree(address, slab.block_bytes);
  }
  LogLine line;
  Begin(line, "invalid free", address);
  if (is_in_block) {
    line.Text(": ")
        .Decimal(into_block)
        .Text(" bytes into a block of ")
        .Decimal(slab.block_bytes)
        .Text(" bytes at ")
        .Hex(address - into_block);
  } else {
    line.Text(": not a block of the slab at ").Hex(slab.base);
  }
  AbortWith(line);
}

void AbortOnMiddleOfSpan(uintptr_t address, size_t offset) {
  LogLine line;
  AbortWith(Begin(line, "invalid free", address)
                .Text(": ")
                .Decimal(offset)
                .Text(" bytes into the block at ")
                .Hex(address - offset));
}

void AbortOnForeignFree(uintptr_t address, bool is_certain) {
  LogLine line;
  AbortWith(Begin(line, "invalid free", address)
                .Text(": not an address that hakmem handed out")
                .Text(is_certain ? "" : ", as far as it remembers"));
}

void AbortOnNoBlock(uintptr_t address) {
  LogLine line;
  AbortWith(Begin(line, "invalid free", address)
                .Text(": no block is there, or none any more"));
}

void AbortOnDoubleFree(uintptr_t address, size_t block_bytes) {
  LogLine line;
  AbortWith(Begin(line, "double free", address)
                .Text(": the block of ")
                .Decimal(block_bytes)
                .Text(" bytes is free already"));
}

void AbortOnDoubleFree(uintptr_t address) {
  LogLine line;
  AbortWith(
      Begin(line, "double free", address).Text(": no block is there any more"));
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
  LogLine line;
  AbortWith(Begin(line, address)
                .Text(": ")
                .Decimal(told)
                .Text(" bytes are not what the block of ")
                .Decimal(block_bytes)
                .Text(" bytes was asked for with"));
}

void AbortOnWrongAlignment(uintptr_t address, size_t alignment) {
  LogLine line;
  AbortWith(Begin(line, address)
                .Text(": the block is not aligned to ")
                .Decimal(alignment)
                .Text(" bytes"));
}

void AbortOnMismatch(uintptr_t address, Origin origin) {
  LogLine line;
  Begin(line, address).Text(", which ");
  const char* right = "free";
  switch (origin) {
    case Origin::kNew:
      line.Text("operator new allocated: ");
      right = "delete";
      break;
    case Origin::kNewArray:
      line.Text("operator new[] allocated: ");
      right = "delete[]";
      break;
    default:
      line.Text("malloc or its like allocated: ");
      break;
  }
  if (FreesBlock(BlockCallScope::Of(address))) {
    line.Text("use ").Text(right);
  } else {
    line.Text("only what malloc or its like allocated can be resized");
  }
  AbortWith(line);
}

}  // namespace hakmem
