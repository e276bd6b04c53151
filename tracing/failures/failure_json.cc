#include "tracing/failures/failure_json.h"

#include <cstdint>
#include <iterator>

#include "base/text/errno_name.h"
#include "tracing/failures/failure_names.h"
#include "tracing/failures/failure_text.h"

namespace hakmem {
namespace {

struct Number {
  const char* name;
  uint64_t hakmem_failure_t::*value;
};

constexpr Number kNumbers[] = {
    {"size", &hakmem_failure_t::size},
    {"alignment", &hakmem_failure_t::alignment},
    {"class_bytes", &hakmem_failure_t::class_bytes},
    {"live_bytes", &hakmem_failure_t::live_bytes},
    {"cached_bytes", &hakmem_failure_t::cached_bytes},
    {"limit_bytes", &hakmem_failure_t::limit_bytes},
    {"os_bytes", &hakmem_failure_t::os_bytes},
    {"evidence_used", &hakmem_failure_t::evidence_used},
    {"evidence_limit", &hakmem_failure_t::evidence_limit},
};

// All fields are written except struct_size: these, two more 64-bit numbers,
// five codes, the thread and the errno.
static_assert(sizeof(hakmem_failure_t) ==
              (std::size(kNumbers) + 2) * sizeof(uint64_t) +
                  (5 + 2 + 1) * sizeof(uint32_t));

void WriteName(const char* key, const char* name, TextBuffer& out) {
  out.Text(",\"").Text(key).Text("\":\"").Text(name).Text("\"");
}

}  // namespace

// Names and sentences contain no character that JSON would escape.
void WriteFailureJsonFields(const hakmem_failure_t& failure, TextBuffer& out) {
  out.Text("\"thread\":").Decimal(failure.thread);
  out.Text(",\"sequence\":").Decimal(failure.sequence);
  out.Text(",\"time_ns\":").Decimal(failure.time_ns);
  WriteName("entry", NameOf(failure.entry), out);
  WriteName("layer", NameOf(failure.layer), out);
  WriteName("cause", NameOf(failure.cause), out);
  WriteName("subcause", NameOf(failure.subcause), out);
  WriteName("os_request", NameOf(failure.os_request), out);
  out.Text(failure.error < 0 ? ",\"error\":-" : ",\"error\":")
      .Decimal(failure.error < 0 ? -static_cast<uint64_t>(failure.error)
                                 : static_cast<uint64_t>(failure.error));
  for (const Number& number : kNumbers) {
    out.Text(",\"").Text(number.name).Text("\":");
    out.Decimal(failure.*number.value);
  }
  const char* const error_name = ErrnoName(failure.error);
  if (error_name != nullptr) WriteName("error_name", error_name, out);
  out.Text(",\"text\":\"");
  WriteFailureText(failure, out);
  out.Text("\",\"explanation\":\"");
  WriteFailureExplanation(failure, out);
  out.Text("\"");
}

}  // namespace hakmem
