// What symbolizing needs of a module's file: addresses and function names.
#ifndef HAKMEM_TOOLS_HEAP_PROFILE_ELF_FILE_H_
#define HAKMEM_TOOLS_HEAP_PROFILE_ELF_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hakmem::tools {

class ElfFile {
 public:
  // Empty when the file cannot be read or is no 64-bit ELF file.
  explicit ElfFile(const std::string& path);

  // The address that the file gives to its byte at `offset`, for addr2line.
  std::optional<uint64_t> AddressOf(uint64_t offset) const;

  // The function whose code contains `address`, mangled, from the symbol table,
  // else from what the file exports; empty when there is none.
  std::string FunctionAt(uint64_t address) const;

 private:
  struct Segment {
    uint64_t offset;
    uint64_t bytes;
    uint64_t address;
  };
  struct Function {
    uint64_t begin;
    uint64_t bytes;
    std::string name;
  };

  std::vector<Segment> segments_;
  std::vector<Function> functions_;  // by begin
};

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HEAP_PROFILE_ELF_FILE_H_
