// Options of the process, from the environment (list: options.def).
//
//   if (options::Get(options::k_huge_pages) != 0) …
//
// Defaults are in force from the first instruction; Read() replaces them once
// the environment exists. A bad value is reported once on stderr and ignored, and
// so is a variable whose name is nearly that of an option. A privileged process
// (AT_SECURE) ignores the environment.
#ifndef HAKMEM_BASE_TEXT_OPTIONS_H_
#define HAKMEM_BASE_TEXT_OPTIONS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace hakmem::options {

enum class Type { kBool, kSize, kNumber, kDuration, kFormat, kOutput };

// What an option of type Format may be.
enum class Format : uint64_t { kAuto = 0, kText = 1, kJson = 2 };

struct Description {
  const char* name;         // as in options.def
  const char* environment;  // HAKMEM_<NAME>
  Type type;
  uint64_t fallback;  // the default
  uint64_t least;
  uint64_t most;
  const char* doc;
};

enum Option : size_t {
#define HAKMEM_OPTION(name, NAME, type, fallback, least, most, doc) k_##name,
#include "base/text/options.def"
#undef HAKMEM_OPTION
  kCount
};

namespace internal {
extern constinit std::atomic<uint64_t> values[kCount];
}  // namespace internal

const Description& Describe(Option option);

// "bool", "size", "number", "duration", "format" or "output".
const char* TypeName(Type type);

// The current value: 0 or 1, bytes, a number, milliseconds, or a Format. For an
// output: 0 if off, 1 if on, with its destination in OutputPath.
inline uint64_t Get(Option option) {
  return internal::values[option].load(std::memory_order_relaxed);
}

// Whether the option `where` of type Output is to be written as JSON when the
// option of type Format `format` is its format.
bool WritesJson(Option where, Option format);

// "auto", "text" or "json"; "" for a value that is no Format.
const char* FormatName(uint64_t value);

// Destination of an output: the absolute path of a file to append to, or "" for
// stderr. Static storage; only for options of type Output.
const char* OutputPath(Option option);

// Reads the environment, once. Returns false while the C library has not set it
// up yet (malloc calls of the dynamic loader); then call again later.
bool Read();

// Parses `text` as a value of `type`. Returns false unless it is exactly one
// value; `*value` is then untouched.
bool Parse(Type type, const char* text, uint64_t* value);

}  // namespace hakmem::options

#endif  // HAKMEM_BASE_TEXT_OPTIONS_H_
