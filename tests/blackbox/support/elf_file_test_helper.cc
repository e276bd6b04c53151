// Sections, symbols and segments of an ELF file.
#include "tests/blackbox/support/elf_file_test_helper.h"

#include <elf.h>

#include <fstream>
#include <iterator>

namespace hakmem_test {

using Header = ElfW(Ehdr);
using Symbol = ElfW(Sym);
using Dynamic = ElfW(Dyn);

ElfFile::ElfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  bytes_.assign(std::istreambuf_iterator<char>(file), {});
  const Header& header = *At<Header>(0);
  const Section* sections = At<Section>(header.e_shoff);
  for (int i = 0; i < header.e_shnum; ++i) {
    const Section& section = sections[i];
    if (section.sh_type != SHT_DYNAMIC && section.sh_type != SHT_DYNSYM &&
        section.sh_type != SHT_SYMTAB) {
      continue;
    }
    const char* strings = At<char>(sections[section.sh_link].sh_offset);
    if (section.sh_type == SHT_DYNAMIC) {
      ReadDynamic(At<Dynamic>(section.sh_offset), strings);
      continue;
    }
    const Symbol* first = At<Symbol>(section.sh_offset);
    const size_t count = section.sh_size / sizeof(Symbol);
    for (size_t s = 0; s < count; ++s) {
      symbols.insert(strings + first[s].st_name);
    }
    if (section.sh_type == SHT_DYNSYM) ReadExports(first, count, strings);
  }
  ReadVersions(sections, header.e_shnum);
  const Segment* first = At<Segment>(header.e_phoff);
  segments.assign(first, first + header.e_phnum);
}

bool ElfFile::IsSharedLibrary() const {
  return bytes_.compare(0, SELFMAG, ELFMAG) == 0 &&
         At<Header>(0)->e_type == ET_DYN;
}

std::string ElfFile::Code(const std::string& name) const {
  const auto function = functions_.find(name);
  if (function == functions_.end()) return "";
  const Symbol& symbol = function->second;
  for (const Segment& segment : segments) {
    const size_t offset = symbol.st_value - segment.p_vaddr;
    if (segment.p_type == PT_LOAD && offset < segment.p_filesz) {
      return bytes_.substr(segment.p_offset + offset, symbol.st_size);
    }
  }
  return "";
}

void ElfFile::ReadDynamic(const Dynamic* entry, const char* strings) {
  for (; entry->d_tag != DT_NULL; ++entry) {
    tags.insert(entry->d_tag);
    if (entry->d_tag == DT_NEEDED) {
      needed.push_back(strings + entry->d_un.d_val);
    }
  }
}

void ElfFile::ReadExports(const Symbol* first, size_t count,
                          const char* strings) {
  for (size_t i = 0; i < count; ++i) {
    const Symbol& symbol = first[i];
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS ||
        ELF64_ST_BIND(symbol.st_info) == STB_LOCAL) {
      continue;
    }
    exported.insert(strings + symbol.st_name);
    if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC) {
      functions_[strings + symbol.st_name] = symbol;
    }
  }
}

void ElfFile::ReadVersions(const Section* sections, size_t count) {
  std::map<unsigned, std::string> names;
  for (size_t i = 0; i < count; ++i) {
    const Section& section = sections[i];
    if (section.sh_type != SHT_GNU_verdef) continue;
    const char* strings = At<char>(sections[section.sh_link].sh_offset);
    size_t offset = section.sh_offset;
    for (size_t entry = 0; entry < section.sh_info; ++entry) {
      const auto& version = *At<ElfW(Verdef)>(offset);
      const auto& name = *At<ElfW(Verdaux)>(offset + version.vd_aux);
      if ((version.vd_flags & VER_FLG_BASE) == 0) {
        names[version.vd_ndx] = strings + name.vda_name;
      }
      offset += version.vd_next;
    }
  }
  for (size_t i = 0; i < count; ++i) {
    const Section& section = sections[i];
    if (section.sh_type != SHT_GNU_versym) continue;
    const Section& table = sections[section.sh_link];
    const char* strings = At<char>(sections[table.sh_link].sh_offset);
    const auto* symbol = At<Symbol>(table.sh_offset);
    const auto* version = At<ElfW(Versym)>(section.sh_offset);
    for (size_t s = 0; s < table.sh_size / sizeof(Symbol); ++s) {
      const std::string name = strings + symbol[s].st_name;
      if (exported.count(name) != 0) versions[name] = names[version[s]];
    }
  }
}

}  // namespace hakmem_test
