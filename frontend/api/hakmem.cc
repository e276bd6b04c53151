// The public interface of hakmem/hakmem.h, except allocation.

#include "hakmem/hakmem.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/build_config.h"
#include "base/text/log.h"
#include "base/text/options.h"
#include "frontend/api/statistics.h"
#include "frontend/dispatch/allocator.h"
#include "linked_backend.h"

namespace options = hakmem::options;

namespace {

// HAKMEM_VERSION is from version.bzl.
constexpr std::array<char, 96> kVersion = [] {
  std::array<char, 96> text{};
  size_t length = 0;
  for (const char* part :
       {HAKMEM_VERSION " (", hakmem::LinkedBackend::kName, ", ace ",
        hakmem::kAceModeName, ", hardening ", hakmem::kHardeningModeName,
        ", tracing ", hakmem::kTracing ? "on" : "off", ")"}) {
    for (; *part != '\0'; ++part) text[length++] = *part;
  }
  return text;
}();

// As snprintf.
size_t WriteStatistics(void (*write)(const hakmem_stats_t& stats,
                                     hakmem::TextBuffer& out),
                       char* buffer, size_t capacity) {
  hakmem::TextBuffer out(buffer, capacity == 0 ? 0 : capacity - 1);
  write(hakmem::GatherStatistics(), out);
  if (capacity != 0) buffer[std::min(out.length(), capacity - 1)] = '\0';
  return out.length();
}

}  // namespace

size_t hakmem_collect() noexcept { return hakmem::CollectAll(); }

const char* hakmem_version() noexcept { return kVersion.data(); }

int hakmem_option(size_t index, hakmem_option_t* option) noexcept {
  if (index >= options::kCount) return 0;
  const auto which = static_cast<options::Option>(index);
  const options::Description& d = options::Describe(which);
  *option = {d.name, options::TypeName(d.type), options::Get(which), d.fallback,
             d.doc};
  return 1;
}

size_t hakmem_stats(hakmem_stats_t* stats, size_t size) noexcept {
  const hakmem_stats_t all = hakmem::GatherStatistics();
  const size_t filled = std::min(size, sizeof(all));
  memcpy(stats, &all, filled);
  return filled;
}

size_t hakmem_stats_json(char* buffer, size_t capacity) noexcept {
  return WriteStatistics(&hakmem::WriteJson, buffer, capacity);
}

size_t hakmem_stats_prometheus(char* buffer, size_t capacity) noexcept {
  return WriteStatistics(&hakmem::WritePrometheus, buffer, capacity);
}
