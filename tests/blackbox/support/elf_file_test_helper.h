// A shared library as described by its file, which is read but not run.
#ifndef HAKMEM_TESTS_BLACKBOX_SUPPORT_ELF_FILE_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_SUPPORT_ELF_FILE_TEST_HELPER_H_

#include <link.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace hakmem_test {

class ElfFile {
 public:
  using Segment = ElfW(Phdr);
  using Section = ElfW(Shdr);

  explicit ElfFile(const std::string& path);

  bool IsSharedLibrary() const;

  // The whole file.
  const std::string& bytes() const { return bytes_; }

  // The machine code of the exported function `name`; "" if there is none.
  std::string Code(const std::string& name) const;

  std::vector<std::string> needed;
  std::set<std::string> exported;
  std::map<std::string, std::string> versions;  // of exported; "": none
  std::set<std::string> symbols;  // all, including those not exported
  std::set<ElfW(Sxword)> tags;    // of the dynamic section
  std::vector<Segment> segments;

 private:
  template <typename T>
  const T* At(size_t offset) const {
    return reinterpret_cast<const T*>(bytes_.data() + offset);
  }

  void ReadDynamic(const ElfW(Dyn) * entry, const char* strings);
  void ReadExports(const ElfW(Sym) * first, size_t count, const char* strings);
  void ReadVersions(const Section* sections, size_t count);

  std::string bytes_;
  std::map<std::string, ElfW(Sym)> functions_;  // exported
};

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_SUPPORT_ELF_FILE_TEST_HELPER_H_
