#include "tracing/stacks/symbol_file.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "os_calls.h"

namespace hakmem {
namespace {

using Header = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);

class File {
 public:
  // By number: the C library's functions are cancellation points.
  explicit File(const char* path)
      : file_(os::ShouldInjectFault(os::Call::kOpen)
                  ? -1
                  : syscall(SYS_openat, AT_FDCWD, path,
                            O_RDONLY | O_CLOEXEC | O_NOCTTY)) {}
  ~File() {
    if (file_ >= 0) syscall(SYS_close, file_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Reads up to `bytes`; returns the number read.
  size_t ReadSome(uint64_t offset, void* to, size_t bytes) const {
    const long length = syscall(SYS_pread64, file_, to, bytes, offset);
    return length > 0 ? static_cast<size_t>(length) : 0;
  }

  template <typename T>
  bool Read(uint64_t offset, T* to) const {
    return ReadSome(offset, to, sizeof(T)) == sizeof(T);
  }

 private:
  const long file_;
};

// Finds the section of type `type`; false if there is none.
bool FindSection(const File& file, const Header& header, uint32_t type,
                 Section* section) {
  if (header.e_shentsize != sizeof(Section)) return false;
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    if (!file.Read(header.e_shoff + i * sizeof(Section), section)) return false;
    if (section->sh_type == type) return true;
  }
  return false;
}

bool IsIn(const Symbol& symbol, uintptr_t place) {
  return ELF64_ST_TYPE(symbol.st_info) == STT_FUNC &&
         symbol.st_shndx != SHN_UNDEF &&
         place - symbol.st_value < symbol.st_size;
}

// Finds the symbol of the function that contains `place`.
bool FindIn(const File& file, const Section& table, uintptr_t place,
            Symbol* symbol) {
  Symbol some[40];
  uint64_t at = table.sh_offset;
  uint64_t left = table.sh_size;
  while (left >= sizeof(Symbol)) {
    const size_t want =
        static_cast<size_t>(std::min<uint64_t>(left, sizeof(some)));
    const size_t count = file.ReadSome(at, some, want) / sizeof(Symbol);
    if (count == 0) return false;
    for (size_t i = 0; i < count; ++i) {
      if (!IsIn(some[i], place)) continue;
      *symbol = some[i];
      return true;
    }
    at += count * sizeof(Symbol);
    left -= count * sizeof(Symbol);
  }
  return false;
}

bool ReadHeader(const File& file, Header* header) {
  return file.Read(0, header) && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
}

// Notes are padded to words.
uint64_t Padded(uint64_t bytes) { return (bytes + 3) & ~uint64_t{3}; }

// Looks for the build id among the notes from `at` to `end`.
bool FindBuildId(const File& file, uint64_t at, uint64_t end, BuildId* id) {
  ElfW(Nhdr) note;
  char name[sizeof(ELF_NOTE_GNU)];
  while (at + sizeof(note) <= end && file.Read(at, &note)) {
    const uint64_t contents = at + sizeof(note) + Padded(note.n_namesz);
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(name) &&
        note.n_descsz != 0 && note.n_descsz <= sizeof(id->bytes) &&
        file.Read(at + sizeof(note), &name) &&
        memcmp(name, ELF_NOTE_GNU, sizeof(name)) == 0) {
      id->length = note.n_descsz;
      return file.ReadSome(contents, id->bytes, id->length) == id->length;
    }
    at = contents + Padded(note.n_descsz);
  }
  return false;
}

}  // namespace

bool ReadBuildId(const char* path, BuildId* id) {
  const File file(path);
  Header header;
  if (!ReadHeader(file, &header)) return false;
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    if (!file.Read(header.e_phoff + i * sizeof(segment), &segment)) break;
    if (segment.p_type == PT_NOTE &&
        FindBuildId(file, segment.p_offset, segment.p_offset + segment.p_filesz,
                    id)) {
      return true;
    }
  }
  return false;
}

bool FindSymbol(const char* path, uintptr_t place, FoundSymbol* found) {
  const File file(path);
  Header header;
  Section table;
  Section names;
  Symbol symbol;
  if (!ReadHeader(file, &header) ||
      !FindSection(file, header, SHT_SYMTAB, &table) ||
      !file.Read(header.e_shoff + uint64_t{table.sh_link} * sizeof(Section),
                 &names) ||
      !FindIn(file, table, place, &symbol)) {
    return false;
  }
  const size_t length = file.ReadSome(names.sh_offset + symbol.st_name,
                                      found->name, sizeof(found->name) - 1);
  found->name[length] = '\0';
  found->start = symbol.st_value;
  return found->name[0] != '\0';
}

}  // namespace hakmem
