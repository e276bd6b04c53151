#include "tracing/failures/failure_names.h"

#include <cstddef>
#include <iterator>

namespace hakmem {
namespace {

// In the order of the codes.
constexpr const char* kEntries[] = {
    "none",         "malloc",   "calloc",        "realloc",
    "reallocarray", "memalign", "aligned_alloc", "posix_memalign",
    "valloc",       "pvalloc",  "operator new",  "aligned operator new"};
constexpr const char* kLayers[] = {"frontend", "backend", "ace", "large"};
constexpr const char* kCauses[] = {"none", "Threshold", "Exhaustion",
                                   "MapFail"};
constexpr const char* kSubCauses[] = {
    "none",        "RLIMIT_AS",     "RLIMIT_DATA",    "address_space",
    "CommitLimit", "max_map_count", "memory.max",     "memory.limit_in_bytes",
    "overcommit",  "huge_pages",    "RLIMIT_MEMLOCK", "not_looked_up",
    "unknown"};
constexpr const char* kOsRequests[] = {"none",      "reserve",   "commit",
                                       "metadata",  "map_large", "grow_large",
                                       "huge_pages"};

static_assert(std::size(kEntries) == HAKMEM_ENTRY_NEW_ALIGNED + 1);
static_assert(std::size(kLayers) == HAKMEM_LAYER_LARGE + 1);
static_assert(std::size(kCauses) == HAKMEM_CAUSE_MAPFAIL + 1);
static_assert(std::size(kSubCauses) == HAKMEM_SUBCAUSE_UNKNOWN + 1);
static_assert(std::size(kOsRequests) == HAKMEM_OS_REQUEST_HUGE_PAGES + 1);

template <typename Code, size_t n>
const char* NameIn(const char* const (&names)[n], Code code) {
  const auto index = static_cast<size_t>(code);
  return index < n ? names[index] : "?";
}

}  // namespace

const char* NameOf(hakmem_failure_entry_t entry) {
  return NameIn(kEntries, entry);
}
const char* NameOf(hakmem_failure_layer_t layer) {
  return NameIn(kLayers, layer);
}
const char* NameOf(hakmem_failure_cause_t cause) {
  return NameIn(kCauses, cause);
}
const char* NameOf(hakmem_failure_subcause_t subcause) {
  return NameIn(kSubCauses, subcause);
}
const char* NameOf(hakmem_failure_os_request_t os_request) {
  return NameIn(kOsRequests, os_request);
}

}  // namespace hakmem
