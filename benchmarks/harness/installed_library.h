// Finds shared libraries that the system has installed.
#ifndef HAKMEM_BENCHMARKS_HARNESS_INSTALLED_LIBRARY_H_
#define HAKMEM_BENCHMARKS_HARNESS_INSTALLED_LIBRARY_H_

#include <string>
#include <string_view>

namespace hakmem::bench {

// Whether programs like this one can load the file.
bool IsSharedObjectForThisMachine(const std::string& path);

// The path of the first such file in the library folders that has the name, or,
// where `pattern` ends in '*', a name that begins so; empty when there is none.
std::string FindInstalledLibrary(std::string_view pattern);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_INSTALLED_LIBRARY_H_
