#include "tracing/stacks/stack_trace.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/text/json_line.h"
#include "base/text/log.h"
#include "base/text/output.h"
#include "tracing/stacks/symbol_file.h"

// Defined by the linker; null in a static program, unless linked with
// -static-pie.
extern __attribute__((weak, visibility("hidden"))) ElfW(Dyn) _DYNAMIC[];

namespace hakmem {
namespace {

struct Walk {
  StackTrace* stack;
  size_t to_skip;
  StackSlots* slots = nullptr;  // null: not wanted
};

// Where the return address of the frame that `context` resumes lies, as far as
// is known: right below what its callee's frame began at.
uintptr_t SlotOf(_Unwind_Context* context) {
#ifdef __x86_64__
  return _Unwind_GetCFA(context) - sizeof(uintptr_t);
#else
  (void)context;
  return 0;
#endif
}

_Unwind_Reason_Code AddFrame(_Unwind_Context* context, void* argument) {
  auto* walk = static_cast<Walk*>(argument);
  if (walk->to_skip != 0) {
    --walk->to_skip;
    return _URC_NO_REASON;
  }
  StackTrace& stack = *walk->stack;
  if (stack.count == StackTrace::kMaxFrames) return _URC_END_OF_STACK;
  int before = 0;
  const uintptr_t address = _Unwind_GetIPInfo(context, &before);
  if (address == 0) return _URC_END_OF_STACK;
  // A return address is that of the next instruction, which may belong to
  // another function.
  if (walk->slots != nullptr) {
    walk->slots->at[stack.count] = before == 0 ? SlotOf(context) : 0;
  }
  stack.frames[stack.count++] = address - (before == 0 ? 1 : 0);
  return _URC_NO_REASON;
}

// The frames between the caller of a public function here and those that are
// kept: the public function itself.
constexpr size_t kOwnFrames = 1;

// Whether the unwinder finds its tables without a lock or memory, in the
// modules' own index (--eh-frame-hdr). In a static program (one without a
// dynamic section) it does not: gcc's start files also register the tables,
// which are then sorted into memory from malloc, under a lock that fork does
// not take; other start files leave out the index, and the unwinder aborts.
bool CanUnwind() {
  dl_find_object here;
  return _DYNAMIC != nullptr &&
         _dl_find_object(reinterpret_cast<void*>(&AddFrame), &here) == 0 &&
         here.dlfo_eh_frame != nullptr;
}

[[gnu::always_inline]] inline void WalkStack(StackTrace* stack, size_t to_skip,
                                             StackSlots* slots = nullptr) {
  stack->count = 0;
  if (!CanUnwind()) return;
  Walk walk = {stack, to_skip, slots};
  _Unwind_Backtrace(AddFrame, &walk);
}

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

// An address in the dynamic section of `module`. The loader has relocated these
// addresses, except in the kernel's vDSO, where they are still offsets.
uintptr_t AddressIn(const link_map& module, const ElfW(Dyn) & entry) {
  const uintptr_t address = entry.d_un.d_ptr;
  return address < module.l_addr ? module.l_addr + address : address;
}

// The exported names of a module, from its dynamic section.
struct DynamicNames {
  const char* table = nullptr;
  size_t table_bytes = 0;
  const char* own = nullptr;            // the name it was linked under, or null
  const ElfW(Sym) * symbols = nullptr;  // of what it exports and imports
  const uint32_t* gnu_hash = nullptr;
};

DynamicNames NamesOf(const link_map& module) {
  DynamicNames names;
  if (module.l_ld == nullptr) return names;  // a static program
  size_t own = 0;
  for (const ElfW(Dyn)* d = module.l_ld; d->d_tag != DT_NULL; ++d) {
    const uintptr_t address = AddressIn(module, *d);
    switch (d->d_tag) {
      case DT_STRTAB:
        names.table = reinterpret_cast<const char*>(address);
        break;
      case DT_STRSZ:
        names.table_bytes = d->d_un.d_val;
        break;
      case DT_SONAME:
        own = d->d_un.d_val;
        break;
      case DT_SYMTAB:
        names.symbols = reinterpret_cast<const ElfW(Sym)*>(address);
        break;
      case DT_GNU_HASH:
        names.gnu_hash = reinterpret_cast<const uint32_t*>(address);
        break;
      default:
        break;
    }
  }
  if (names.table != nullptr && own != 0) names.own = names.table + own;
  return names;
}

void LeaveOut(size_t count, StackTrace* stack) {
  std::copy(stack->frames + count, stack->frames + stack->count, stack->frames);
  stack->count -= count;
}

// Removes the frames above the one that resumes at `from`; false if there is no
// such frame.
bool BeginAt(const void* from, StackTrace* stack) {
  const auto address = reinterpret_cast<uintptr_t>(from);
  for (size_t i = 0; i < stack->count; ++i) {
    if (stack->frames[i] == address || stack->frames[i] == address - 1) {
      LeaveOut(i, stack);
      return true;
    }
  }
  return false;
}

// Whether `module` is the allocator's shared library, and not a program or a
// library that the allocator is linked into.
bool IsOwnLibrary(const link_map& module) {
  static constexpr char kOwnName[] = "libhakmem";
  const DynamicNames names = NamesOf(module);
  return names.own != nullptr &&
         strncmp(names.own, kOwnName, sizeof(kOwnName) - 1) == 0;
}

// Removes the frames before the first of another module than ours; none if all
// are ours.
void LeaveOutOwnLibrary(StackTrace* stack) {
  dl_find_object own;
  if (_dl_find_object(reinterpret_cast<void*>(&AddFrame), &own) != 0 ||
      !IsOwnLibrary(*own.dlfo_link_map)) {
    return;
  }
  const auto begin = reinterpret_cast<uintptr_t>(own.dlfo_map_start);
  const auto end = reinterpret_cast<uintptr_t>(own.dlfo_map_end);
  for (size_t i = 0; i < stack->count; ++i) {
    if (stack->frames[i] < begin || stack->frames[i] >= end) {
      return LeaveOut(i, stack);
    }
  }
}

// Adds text that may contain anything, keeping the output one line.
void WriteForeign(const char* text, TextBuffer& out) {
  for (; *text != '\0'; ++text) {
    out.Text(static_cast<unsigned char>(*text) < ' ' ? "?" : text, 1);
  }
}

// The two kinds of lines that the writers below fill.
enum class FrameFormat : uint8_t { kText, kJson };

// A frame's line of text; longer ones are cut.
constexpr size_t kLineBytes = 512;
// A frame's line of JSON. A cut line would be no JSON: its two texts are, and
// it is not written when they do not fit for all their escapes.
constexpr size_t kJsonLineBytes = 1536;
constexpr size_t kMaxModuleBytes = 800;
constexpr size_t kMaxNameBytes = 400;

void WriteName(const char* name, uintptr_t distance, FrameFormat format,
               TextBuffer& out) {
  if (format == FrameFormat::kText) {
    out.Text(" ");
    WriteForeign(name, out);
    out.Text("+").Hex(distance);
  } else {
    out.Text(",\"name\":");
    WriteJsonString(name, out, kMaxNameBytes);
    out.Text(",\"name_offset\":\"").Hex(distance).Text("\"");
  }
}

// Adds " name+0x12" for the exported function of `module` that contains
// `offset`, if any.
void WriteExportedName(const link_map& module, uintptr_t offset,
                       FrameFormat format, TextBuffer& out) {
  const DynamicNames names = NamesOf(module);
  if (names.symbols == nullptr || names.table == nullptr ||
      names.gnu_hash == nullptr || names.gnu_hash[0] == 0) {
    return;
  }
  const size_t count = CountSymbols(names.gnu_hash);
  for (size_t i = 0; i < count; ++i) {
    const ElfW(Sym)& symbol = names.symbols[i];
    if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != 0 &&
        offset - symbol.st_value < symbol.st_size &&
        symbol.st_name < names.table_bytes) {
      return WriteName(names.table + symbol.st_name, offset - symbol.st_value,
                       format, out);
    }
  }
}

[[gnu::noinline]] bool WriteNameInFile(const link_map& module, uintptr_t offset,
                                       FrameFormat format, TextBuffer& out) {
  FoundSymbol found;
  const char* path =
      module.l_name[0] == '\0' ? "/proc/self/exe" : module.l_name;
  // A relative path may refer to another directory by now.
  if (path[0] != '/' || !FindSymbol(path, offset, &found)) return false;
  WriteName(found.name, offset - found.start, format, out);
  return true;
}

void WriteModuleName(const char* name, FrameFormat format, TextBuffer& out) {
  format == FrameFormat::kText ? WriteForeign(name, out)
                               : WriteJsonString(name, out, kMaxModuleBytes);
}

[[gnu::noinline]] void WriteProgram(FrameFormat format, TextBuffer& out) {
  char program[256];
  const long length = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe",
                              program, sizeof(program) - 1);
  program[std::max(length, 0L)] = '\0';
  WriteModuleName(length > 0 ? program : "the program", format, out);
}

void WriteModule(const link_map& module, FrameFormat format, TextBuffer& out) {
  // The program itself has no name there.
  module.l_name[0] != '\0' ? WriteModuleName(module.l_name, format, out)
                           : WriteProgram(format, out);
}

// The module of `address`; null when it lies in none.
const link_map* ModuleOf(uintptr_t address) {
  dl_find_object found;
  return _dl_find_object(reinterpret_cast<void*>(address), &found) == 0
             ? found.dlfo_link_map
             : nullptr;
}

void WriteNameAt(const link_map& module, uintptr_t offset, FrameFormat format,
                 TextBuffer& text) {
  if (!WriteNameInFile(module, offset, format, text)) {
    WriteExportedName(module, offset, format, text);
  }
}

void WriteFrame(size_t number, uintptr_t address, TextBuffer& text) {
  text.Text("  #").Decimal(number).Text(" ").Hex(address);
  const link_map* const module = ModuleOf(address);
  if (module == nullptr) return;
  const uintptr_t offset = address - module->l_addr;
  text.Text(" ");
  WriteModule(*module, FrameFormat::kText, text);
  text.Text("+").Hex(offset);
  WriteNameAt(*module, offset, FrameFormat::kText, text);
}

void WriteFrameJson(uint64_t sequence, size_t number, uintptr_t address,
                    TextBuffer& text) {
  BeginJsonLine("frame", text);
  text.Text(",\"sequence\":").Decimal(sequence);
  text.Text(",\"frame\":").Decimal(number);
  text.Text(",\"address\":\"").Hex(address).Text("\"");
  if (const link_map* const module = ModuleOf(address)) {
    const uintptr_t offset = address - module->l_addr;
    text.Text(",\"module\":");
    WriteModule(*module, FrameFormat::kJson, text);
    text.Text(",\"module_offset\":\"").Hex(offset).Text("\"");
    WriteNameAt(*module, offset, FrameFormat::kJson, text);
  }
  text.Text("}");
}

// Calls send(line, length) for each frame.
template <typename Send>
void PrintFrames(const StackTrace& stack, Send&& send) {
  for (size_t i = 0; i < stack.count; ++i) {
    char line[kLineBytes];
    TextBuffer text(line, sizeof(line));
    WriteFrame(i, stack.frames[i], text);
    send(line, std::min(text.length(), sizeof(line)));
  }
}

}  // namespace

void NoteStack(const void* from, StackTrace* stack) {
  WalkStack(stack, kOwnFrames);
  (void)BeginAt(from, stack);
}

bool NoteStackAndSlots(const void* from, StackTrace* stack, StackSlots* slots) {
  WalkStack(stack, kOwnFrames, slots);
  const size_t walked = stack->count;
  if (!BeginAt(from, stack)) return false;
  const size_t left_out = walked - stack->count;
  for (size_t i = 0; i < stack->count; ++i) {
    const uintptr_t slot = slots->at[i + left_out];
    if (slot == 0 || !HoldsReturnTo(slot, stack->frames[i])) return false;
    slots->at[i] = slot;
  }
  return stack->count != 0;
}

void PrintStack(options::Option where, const void* from) {
  const int saved_errno = errno;
  StackTrace stack;
  WalkStack(&stack, kOwnFrames);
  if (!BeginAt(from, &stack)) LeaveOutOwnLibrary(&stack);
  PrintFrames(stack, [where](const char* line, size_t length) {
    SendLine(where, line, length);
  });
  errno = saved_errno;
}

void PrintStackJson(options::Option where, uint64_t sequence,
                    const void* from) {
  const int saved_errno = errno;
  StackTrace stack;
  WalkStack(&stack, kOwnFrames);
  if (!BeginAt(from, &stack)) LeaveOutOwnLibrary(&stack);
  for (size_t i = 0; i < stack.count; ++i) {
    char line[kJsonLineBytes];
    TextBuffer text(line, sizeof(line));
    WriteFrameJson(sequence, i, stack.frames[i], text);
    if (text.length() > sizeof(line)) continue;
    SendBare(where, line, text.length());
  }
  errno = saved_errno;
}

void WriteModuleOf(uintptr_t address, TextBuffer& out) {
  const link_map* const module = ModuleOf(address);
  module != nullptr ? WriteModule(*module, FrameFormat::kText, out)
                    : WriteProgram(FrameFormat::kText, out);
}

void PrintNotedStack(const StackTrace& stack) {
  const int saved_errno = errno;
  PrintFrames(stack, [](const char* line, size_t length) {
    SendLineToStderr(line, length);
  });
  errno = saved_errno;
}

}  // namespace hakmem
