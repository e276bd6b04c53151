#include "tracing/failures/failure_names.h"

#include <cstddef>
#include <cstring>
#include <iterator>

namespace hakmem {
namespace {

// In the order of the enumerations.
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
constexpr const char* kOsRequests[] = {
    "nothing",        "address space for chunks",
    "use of a chunk", "the allocator's books",
    "a large block",  "growing a large block",
    "huge pages"};

static_assert(std::size(kEntries) ==
              static_cast<size_t>(EntryPoint::kNewAligned) + 1);
static_assert(std::size(kLayers) == static_cast<size_t>(Layer::kLarge) + 1);
static_assert(std::size(kCauses) == static_cast<size_t>(Cause::kMapFail) + 1);
static_assert(std::size(kSubCauses) ==
              static_cast<size_t>(SubCause::kUnknown) + 1);
static_assert(std::size(kOsRequests) ==
              static_cast<size_t>(OsRequest::kHugePages) + 1);

template <typename Enum, size_t n>
const char* NameIn(const char* const (&names)[n], Enum value) {
  const auto index = static_cast<size_t>(value);
  return index < n ? names[index] : "?";
}

template <typename Enum, size_t n>
Enum ValueIn(const char* const (&names)[n], const char* name) {
  for (size_t i = 0; name != nullptr && i < n; ++i) {
    if (strcmp(names[i], name) == 0) return static_cast<Enum>(i);
  }
  return Enum{};
}

}  // namespace

const char* NameOf(EntryPoint entry) { return NameIn(kEntries, entry); }
const char* NameOf(Layer layer) { return NameIn(kLayers, layer); }
const char* NameOf(Cause cause) { return NameIn(kCauses, cause); }
const char* NameOf(SubCause subcause) { return NameIn(kSubCauses, subcause); }
const char* NameOf(OsRequest os_request) {
  return NameIn(kOsRequests, os_request);
}

void SetByNames(const char* entry, const char* layer, const char* cause,
                const char* subcause, const char* os_request,
                FailureRecord* record) {
  record->entry = ValueIn<EntryPoint>(kEntries, entry);
  record->layer = ValueIn<Layer>(kLayers, layer);
  record->cause = ValueIn<Cause>(kCauses, cause);
  record->subcause = ValueIn<SubCause>(kSubCauses, subcause);
  record->os_request = ValueIn<OsRequest>(kOsRequests, os_request);
}

}  // namespace hakmem
