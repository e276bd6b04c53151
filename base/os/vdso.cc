#include "base/os/vdso.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <cerrno>
#include <cstring>

namespace hakmem {
namespace {

template <typename T>
const T* At(uintptr_t address) {
  return reinterpret_cast<const T*>(address);
}

// The tables of an object that describe its symbols.
struct Tables {
  const char* names = nullptr;
  const ElfW(Sym) * symbols = nullptr;
  const uint32_t* hash = nullptr;      // DT_HASH: its second word is the symbol
                                       // count
  const uint32_t* gnu_hash = nullptr;  // DT_GNU_HASH
};

// Parses the dynamic section. Its addresses are relative to the object, unless
// a loader has relocated them.
Tables TablesIn(const ElfW(Dyn) * dynamic, uintptr_t image, uintptr_t bias) {
  Tables tables;
  for (; dynamic->d_tag != DT_NULL; ++dynamic) {
    const uintptr_t value = dynamic->d_un.d_ptr;
    const uintptr_t address = value >= image ? value : value + bias;
    switch (dynamic->d_tag) {
      case DT_STRTAB:
        tables.names = At<char>(address);
        break;
      case DT_SYMTAB:
        tables.symbols = At<ElfW(Sym)>(address);
        break;
      case DT_HASH:
        tables.hash = At<uint32_t>(address);
        break;
      case DT_GNU_HASH:
        tables.gnu_hash = At<uint32_t>(address);
        break;
    }
  }
  return tables;
}

// The number of symbols by DT_GNU_HASH: the last entry of the last chain has
// its lowest bit set.
uint32_t CountByGnuHash(const uint32_t* table) {
  const uint32_t bucket_count = table[0];
  const uint32_t first_symbol = table[1];
  const uint32_t bloom_words = table[2];
  constexpr uint32_t kWordsOfBloom = sizeof(ElfW(Addr)) / sizeof(uint32_t);
  const uint32_t* buckets = table + 4 + bloom_words * kWordsOfBloom;
  const uint32_t* chains = buckets + bucket_count;
  uint32_t last = 0;
  for (uint32_t i = 0; i < bucket_count; ++i) {
    if (buckets[i] > last) last = buckets[i];
  }
  if (last < first_symbol) return first_symbol;
  while ((chains[last - first_symbol] & 1) == 0) ++last;
  return last + 1;
}

uint32_t CountSymbols(const Tables& tables) {
  if (tables.hash != nullptr) return tables.hash[1];
  return tables.gnu_hash != nullptr ? CountByGnuHash(tables.gnu_hash) : 0;
}

}  // namespace

uintptr_t FindFunctionIn(uintptr_t image, const char* name) {
  const auto* header = At<ElfW(Ehdr)>(image);
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return 0;
  const auto* segment = At<ElfW(Phdr)>(image + header->e_phoff);
  const ElfW(Phdr)* dynamic = nullptr;
  uintptr_t bias = 0;
  bool has_bias = false;
  for (int i = 0; i < header->e_phnum; ++i, ++segment) {
    if (segment->p_type == PT_DYNAMIC) {
      dynamic = segment;
    } else if (segment->p_type == PT_LOAD && !has_bias) {
      bias = image + segment->p_offset - segment->p_vaddr;
      has_bias = true;
    }
  }
  if (dynamic == nullptr || !has_bias) return 0;
  const Tables tables =
      TablesIn(At<ElfW(Dyn)>(bias + dynamic->p_vaddr), image, bias);
  if (tables.names == nullptr || tables.symbols == nullptr) return 0;
  const uint32_t count = CountSymbols(tables);
  for (uint32_t i = 0; i < count; ++i) {
    const ElfW(Sym)& symbol = tables.symbols[i];
    // The low four bits of st_info are the type, in both ELF classes.
    if (symbol.st_shndx != SHN_UNDEF && (symbol.st_info & 15) == STT_FUNC &&
        strcmp(tables.names + symbol.st_name, name) == 0) {
      return bias + symbol.st_value;
    }
  }
  return 0;
}

uintptr_t FindInVdso(const char* name) {
  const int saved_errno = errno;
  const uintptr_t image = getauxval(AT_SYSINFO_EHDR);
  errno = saved_errno;
  return image == 0 ? 0 : FindFunctionIn(image, name);
}

}  // namespace hakmem
