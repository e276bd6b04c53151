#include "benchmarks/workloads/programs/environment.h"

#include <gnu/lib-names.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <string_view>

namespace hakmem::bench {
namespace {

constexpr std::string_view kPreload = "LD_PRELOAD=";

// Beginnings of variables that programs here look at, or that are set anew.
constexpr std::string_view kLeftOut[] = {
    "PYTHON",
    "LUA_",
    "GIT_",
    "XDG_",
    "GS_",
    "GHOSTSCRIPT",
    "ZSTD_",
    "CPATH=",
    "C_INCLUDE_PATH=",
    "CPLUS_INCLUDE_PATH=",
    "LIBRARY_PATH=",
    "GCC_",
    "COMPILER_PATH=",
    "DEPENDENCIES_OUTPUT=",
    "SUNPRO_DEPENDENCIES=",
    "CCC_OVERRIDE_OPTIONS=",
    "SOURCE_DATE_EPOCH=",
    "LC_",
    "LANG",
    "HOME=",
    "TMPDIR=",
    "TEMP=",
    "TMP=",
};

std::string WorkingDirectory() {
  char* const path = getcwd(nullptr, 0);
  std::string copy = path == nullptr ? "/" : path;
  free(path);
  return copy;
}

bool IsLeftOut(std::string_view variable) {
  if (variable.substr(0, kPreload.size()) == kPreload) return true;
  for (const std::string_view beginning : kLeftOut) {
    if (variable.substr(0, beginning.size()) == beginning) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> ProgramEnvironment(
    Preload preload, const std::vector<std::string>& more) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!IsLeftOut(*entry)) variables.emplace_back(*entry);
  }
  const char* const own = getenv("LD_PRELOAD");
  if (preload != Preload::kNothing && own != nullptr && *own != '\0') {
    variables.push_back(std::string(kPreload) + own);
  } else if (preload == Preload::kAllocator) {
    variables.push_back(std::string(kPreload) + LIBC_SO);
  }
  const std::string here = WorkingDirectory();
  variables.push_back("HOME=" + here);
  variables.push_back("TMPDIR=" + here);
  variables.emplace_back("LC_ALL=C");
  variables.emplace_back("CCACHE_DISABLE=1");
  variables.emplace_back("GIT_CONFIG_NOSYSTEM=1");
  variables.insert(variables.end(), more.begin(), more.end());
  return variables;
}

void MakePreloadAbsolute() {
  const char* const own = getenv("LD_PRELOAD");
  if (own == nullptr) return;
  // Names without a slash are looked for elsewhere and stay.
  std::string absolute;
  std::string_view rest = own;
  while (!rest.empty()) {
    const size_t length = rest.find_first_of(": ");
    const std::string_view name = rest.substr(0, length);
    rest.remove_prefix(length == std::string_view::npos ? rest.size()
                                                        : length + 1);
    if (name.empty()) continue;
    if (!absolute.empty()) absolute += ':';
    if (name.front() != '/' && name.find('/') != std::string_view::npos) {
      absolute += WorkingDirectory() + "/";
    }
    absolute += name;
  }
  setenv("LD_PRELOAD", absolute.c_str(), 1);
}

}  // namespace hakmem::bench
