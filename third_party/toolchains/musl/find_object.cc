// _dl_find_object for musl, which has none: gcc's unwinder, made for glibc, and
// our stack traces ask it which module an address is of.
//
// For static programs: one module, which stays as it is. In a dynamic program
// dl_iterate_phdr takes the loader's lock, and the link_map would have to be
// the loader's own.
#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>

namespace {

struct Search {
  uintptr_t address;
  dl_find_object* result;
};

// The program, where it was linked to be: a static one has no such record. Its
// dynamic section is an empty one.
constinit ElfW(Dyn) nothing[1] = {};
constinit char no_name[1] = "";
constinit link_map program = {0, no_name, nothing, nullptr, nullptr};

int LookAt(dl_phdr_info* info, size_t, void* argument) {
  const auto& search = *static_cast<Search*>(argument);
  uintptr_t begin = UINTPTR_MAX;
  uintptr_t end = 0;
  bool is_here = false;
  void* frames = nullptr;
  for (size_t i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    const uintptr_t start = info->dlpi_addr + part.p_vaddr;
    if (part.p_type == PT_LOAD) {
      if (start < begin) begin = start;
      if (start + part.p_memsz > end) end = start + part.p_memsz;
      is_here |= search.address - start < part.p_memsz;
    } else if (part.p_type == PT_GNU_EH_FRAME) {
      frames = reinterpret_cast<void*>(start);
    }
  }
  if (!is_here) return 0;
  *search.result = {0,
                    reinterpret_cast<void*>(begin),
                    reinterpret_cast<void*>(end),
                    &program,
                    frames,
                    {}};
  return 1;
}

}  // namespace

int _dl_find_object(void* address, dl_find_object* result) {
  Search search = {reinterpret_cast<uintptr_t>(address), result};
  return dl_iterate_phdr(LookAt, &search) == 1 ? 0 : -1;
}
