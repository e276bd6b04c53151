// Reads the text that the library writes (tracing/profile/profile_dump.h has
// its form).
#ifndef HAKMEM_TOOLS_HEAP_PROFILE_RAW_PROFILE_H_
#define HAKMEM_TOOLS_HEAP_PROFILE_RAW_PROFILE_H_

#include <map>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "tools/heap_profile/heap_profile.h"

namespace hakmem::tools {

// Merges what several processes wrote. What was the peak is then the sum of
// their peaks, which may have been at different times.
class ProfileMerger {
 public:
  // Adds one process's text. InvalidArgument, in one line, when it is not such
  // a text or ends early; then nothing was added.
  absl::Status Add(std::string_view text);

  const HeapProfile& profile() const { return profile_; }

 private:
  size_t ModuleOf(const Module& module);
  size_t LocationOf(size_t module, uint64_t offset);

  HeapProfile profile_;
  std::map<std::pair<std::string, std::string>, size_t> modules_;
  std::map<std::pair<size_t, uint64_t>, size_t> locations_;
  std::map<std::vector<size_t>, size_t> sites_;
};

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HEAP_PROFILE_RAW_PROFILE_H_
