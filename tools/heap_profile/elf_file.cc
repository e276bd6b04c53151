#include "tools/heap_profile/elf_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

namespace hakmem::tools {
namespace {

// Reads a struct at `offset`; false beyond the end.
template <typename T>
bool ReadAt(const std::string& contents, uint64_t offset, T* to) {
  if (offset > contents.size() || contents.size() - offset < sizeof(T)) {
    return false;
  }
  memcpy(to, contents.data() + offset, sizeof(T));
  return true;
}

std::string TextAt(const std::string& contents, uint64_t offset) {
  if (offset >= contents.size()) return {};
  return contents.substr(offset, contents.find('\0', offset) - offset);
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  contents << file.rdbuf();
  return std::move(contents).str();
}

}  // namespace

ElfFile::ElfFile(const std::string& path) {
  const std::string contents = Contents(path);
  Elf64_Ehdr header;
  if (!ReadAt(contents, 0, &header) ||
      memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64) {
    return;
  }
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    const uint64_t at = header.e_phoff + i * sizeof(segment);
    if (!ReadAt(contents, at, &segment)) return;
    if (segment.p_type != PT_LOAD) continue;
    segments_.push_back({segment.p_offset, segment.p_filesz, segment.p_vaddr});
  }
  for (const uint32_t type : {SHT_SYMTAB, SHT_DYNSYM}) {
    for (int i = 0; i < header.e_shnum && functions_.empty(); ++i) {
      Elf64_Shdr section;
      const uint64_t at = header.e_shoff + i * sizeof(section);
      if (!ReadAt(contents, at, &section) || section.sh_type != type) continue;
      Elf64_Shdr names;
      if (!ReadAt(contents, header.e_shoff + section.sh_link * sizeof(names),
                  &names)) {
        continue;
      }
      for (uint64_t n = 0; n < section.sh_size / sizeof(Elf64_Sym); ++n) {
        Elf64_Sym symbol;
        if (!ReadAt(contents, section.sh_offset + n * sizeof(symbol), &symbol))
          break;
        if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC ||
            symbol.st_shndx == SHN_UNDEF) {
          continue;
        }
        functions_.push_back(
            {symbol.st_value, symbol.st_size,
             TextAt(contents, names.sh_offset + symbol.st_name)});
      }
    }
  }
  std::sort(
      functions_.begin(), functions_.end(),
      [](const Function& a, const Function& b) { return a.begin < b.begin; });
}

std::optional<uint64_t> ElfFile::AddressOf(uint64_t offset) const {
  for (const Segment& segment : segments_) {
    if (offset - segment.offset < segment.bytes) {
      return offset - segment.offset + segment.address;
    }
  }
  return std::nullopt;
}

std::string ElfFile::FunctionAt(uint64_t address) const {
  auto after = std::upper_bound(functions_.begin(), functions_.end(), address,
                                [](uint64_t value, const Function& function) {
                                  return value < function.begin;
                                });
  if (after == functions_.begin()) return {};
  const Function& function = *--after;
  return address - function.begin < function.bytes ? function.name : "";
}

}  // namespace hakmem::tools
