#include "tracing/stack_trace.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/log.h"
#include "base/output.h"

namespace hakmem {
namespace {

constexpr size_t kFrames = 32;

struct Frames {
  uintptr_t addresses[kFrames];
  size_t count = 0;
  size_t to_skip;
};

_Unwind_Reason_Code AddFrame(_Unwind_Context* context, void* argument) {
  auto* frames = static_cast<Frames*>(argument);
  if (frames->to_skip != 0) {
    --frames->to_skip;
    return _URC_NO_REASON;
  }
  if (frames->count == kFrames) return _URC_END_OF_STACK;
  int before = 0;
  const uintptr_t address = _Unwind_GetIPInfo(context, &before);
  if (address == 0) return _URC_END_OF_STACK;
  // A return address is that of the next instruction, maybe of another
  // function.
  frames->addresses[frames->count++] = address - (before == 0 ? 1 : 0);
  return _URC_NO_REASON;
}

// What the dynamic section of a module tells of its exported names.
struct Symbols {
  const ElfW(Sym) * first = nullptr;
  size_t count = 0;
  const char* names = nullptr;
  size_t names_bytes = 0;
};

// The number of symbols is not stored; the hash table ends with the last.
size_t CountSymbols(const uint32_t* gnu_hash) {
  const uint32_t buckets = gnu_hash[0];
  const uint32_t first_hashed = gnu_hash[1];
  const uint32_t filter_words = gnu_hash[2];
  const uint32_t* bucket =
      gnu_hash + 4 + size_t{filter_words} * sizeof(ElfW(Addr)) / 4;
  const uint32_t* chain = bucket + buckets;
  const uint32_t last = *std::max_element(bucket, bucket + buckets);
  if (last < first_hashed) return first_hashed;
  size_t end = last;
  while ((chain[end - first_hashed] & 1) == 0) ++end;
  return end + 1;
}

Symbols SymbolsOf(const link_map& module) {
  Symbols symbols;
  const uint32_t* gnu_hash = nullptr;
  for (const ElfW(Dyn)* d = module.l_ld; d->d_tag != DT_NULL; ++d) {
    // The loader has made these addresses; in the kernel's vDSO they are
    // offsets still.
    const uintptr_t address = d->d_un.d_ptr < module.l_addr
                                  ? module.l_addr + d->d_un.d_ptr
                                  : d->d_un.d_ptr;
    if (d->d_tag == DT_SYMTAB) {
      symbols.first = reinterpret_cast<const ElfW(Sym)*>(address);
    } else if (d->d_tag == DT_STRTAB) {
      symbols.names = reinterpret_cast<const char*>(address);
    } else if (d->d_tag == DT_STRSZ) {
      symbols.names_bytes = d->d_un.d_val;
    } else if (d->d_tag == DT_GNU_HASH) {
      gnu_hash = reinterpret_cast<const uint32_t*>(address);
    }
  }
  if (symbols.first != nullptr && symbols.names != nullptr &&
      gnu_hash != nullptr && gnu_hash[0] != 0) {
    symbols.count = CountSymbols(gnu_hash);
  }
  return symbols;
}

// Adds " name+0x12" for the exported function that `offset` of `module` lies
// in, if it lies in one.
void WriteName(const link_map& module, uintptr_t offset, TextBuffer& out) {
  const Symbols symbols = SymbolsOf(module);
  for (size_t i = 0; i < symbols.count; ++i) {
    const ElfW(Sym)& symbol = symbols.first[i];
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == 0 ||
        offset - symbol.st_value >= symbol.st_size ||
        symbol.st_name >= symbols.names_bytes) {
      continue;
    }
    out.Text(" ").Text(symbols.names + symbol.st_name).Text("+");
    out.Hex(offset - symbol.st_value);
    return;
  }
}

void WriteModule(const link_map& module, TextBuffer& out) {
  const char* name = module.l_name;
  size_t length = strlen(name);
  char program[256];
  if (length == 0) {  // the program itself has no name there
    const long read = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe",
                              program, sizeof(program));
    name = read > 0 ? program : "the program";
    length = read > 0 ? static_cast<size_t>(read) : strlen(name);
  }
  for (size_t i = 0; i < length; ++i) {
    // Whatever a file is called, the line stays one.
    out.Text(static_cast<unsigned char>(name[i]) < ' ' ? "?" : name + i, 1);
  }
}

[[gnu::noinline]] void PrintFrame(options::Option where, size_t number,
                                  uintptr_t address) {
  char line[512];
  TextBuffer text(line, sizeof(line));
  text.Text("  #").Decimal(number).Text(" ").Hex(address);
  dl_find_object found;
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) == 0) {
    const link_map& module = *found.dlfo_link_map;
    text.Text(" ");
    WriteModule(module, text);
    text.Text("+").Hex(address - module.l_addr);
    WriteName(module, address - module.l_addr, text);
  }
  SendLine(where, line, std::min(text.length(), sizeof(line)));
}

}  // namespace

void PrintStack(options::Option where) {
  Frames frames;
  frames.to_skip = 1;  // this function
  _Unwind_Backtrace(AddFrame, &frames);
  for (size_t i = 0; i < frames.count; ++i) {
    PrintFrame(where, i, frames.addresses[i]);
  }
}

}  // namespace hakmem
