#include "base/text/options.h"

#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/text/log.h"

namespace hakmem::options {
namespace {

constexpr Description kDescriptions[] = {
#define HAKMEM_OPTION(name, NAME, type, fallback, least, most, doc) \
  {#name, "HAKMEM_" #NAME, Type::k##type, fallback, least, most, doc},
#include "base/text/options.def"
#undef HAKMEM_OPTION
};

constinit std::atomic<bool> was_read{false};

// Longest path of an output, including the NUL.
constexpr size_t kPathBytes = 1024;

// The number of options before `end` that are outputs.
constexpr size_t OutputsBefore(size_t end) {
  size_t count = 0;
  for (size_t i = 0; i < end; ++i) {
    if (kDescriptions[i].type == Type::kOutput) ++count;
  }
  return count;
}

// Each output's path; "" is stderr. Written before the option's value.
constinit char paths[OutputsBefore(kCount)][kPathBytes] = {};

struct Suffix {
  const char* text;
  uint64_t factor;
};

constexpr Suffix kSizeSuffixes[] = {
    {"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};
constexpr Suffix kNumberSuffixes[] = {{"", 1}};
constexpr Suffix kDurationSuffixes[] = {{"", 1}, {"ms", 1}, {"s", 1000}};

template <size_t n>
bool ParseScaled(const char* text, const Suffix (&suffixes)[n],
                 uint64_t* value) {
  uint64_t number = 0;
  const char* rest = text;
  for (; *rest >= '0' && *rest <= '9'; ++rest) {
    if (__builtin_mul_overflow(number, uint64_t{10}, &number) ||
        __builtin_add_overflow(number, static_cast<uint64_t>(*rest - '0'),
                               &number)) {
      return false;
    }
  }
  if (rest == text) return false;
  for (const Suffix& suffix : suffixes) {
    if (strcasecmp(rest, suffix.text) == 0) {
      if (__builtin_mul_overflow(number, suffix.factor, &number)) return false;
      *value = number;
      return true;
    }
  }
  return false;
}

bool ParseBool(const char* text, uint64_t* value) {
  for (const char* yes : {"1", "true", "yes", "on"}) {
    if (strcasecmp(text, yes) == 0) {
      *value = 1;
      return true;
    }
  }
  for (const char* no : {"0", "false", "no", "off"}) {
    if (strcasecmp(text, no) == 0) {
      *value = 0;
      return true;
    }
  }
  return false;
}

constexpr const char* kFormatNames[] = {"auto", "text", "json"};

bool ParseFormat(const char* text, uint64_t* value) {
  for (size_t i = 0; i < std::size(kFormatNames); ++i) {
    if (strcasecmp(text, kFormatNames[i]) == 0) {
      *value = i;
      return true;
    }
  }
  return false;
}

// Rejects what is more likely a mistyped number than a file name, and paths
// with control characters, which would break the line that prints them.
bool IsPath(const char* text) {
  bool has_name = false;
  for (const char* at = text; *at != '\0'; ++at) {
    const auto c = static_cast<unsigned char>(*at);
    if (c < ' ' || c == 127) return false;
    const bool is_letter = (c | 32) >= 'a' && (c | 32) <= 'z';
    has_name = has_name || is_letter || c == '/' || c >= 128;
  }
  return has_name && strlen(text) < kPathBytes;
}

bool ParseOutput(const char* text, uint64_t* value) {
  if (ParseBool(text, value)) return true;
  if (!IsPath(text)) return false;
  *value = 1;
  return true;
}

// Stores the path `text` of an output, made absolute because the program may
// change its directory later. Returns false when that is too long.
bool KeepPath(size_t option, const char* text) {
  uint64_t ignored;
  if (ParseBool(text, &ignored)) return true;
  char* path = paths[OutputsBefore(option)];
  size_t length = 0;
  if (text[0] != '/') {
    // By number: the C library's getcwd may allocate. The result counts the
    // NUL.
    const long folder = syscall(SYS_getcwd, path, kPathBytes);
    if (folder > 1 && path[0] == '/') {
      length = static_cast<size_t>(folder) - 1;
      if (length > 1) path[length++] = '/';
    }
  }
  if (length + strlen(text) >= kPathBytes) {
    path[0] = '\0';
    return false;
  }
  memcpy(path + length, text, strlen(text) + 1);
  return true;
}

void Complain(const Description& d, const char* text) {
  LogLine line;
  line.Text(d.environment).Text("=").Text(text).Text(" is ignored: not ");
  if (d.type == Type::kOutput) {
    line.Text("0, 1 or the path of a file").Send();
    return;
  }
  if (d.type == Type::kFormat) {
    line.Text("auto, text or json").Send();
    return;
  }
  line.Text("a ")
      .Text(TypeName(d.type))
      .Text(" from ")
      .Decimal(d.least)
      .Text(" to ")
      .Decimal(d.most)
      .Send();
}

void ReadOne(size_t option) {
  const Description& d = kDescriptions[option];
  const char* text = getenv(d.environment);
  if (text == nullptr) return;
  uint64_t value = 0;
  if (!Parse(d.type, text, &value) || value < d.least || value > d.most ||
      (d.type == Type::kOutput && !KeepPath(option, text))) {
    Complain(d, text);
    return;
  }
  // release: pairs with the acquire in OutputPath; publishes the path.
  internal::values[option].store(value, std::memory_order_release);
}

constexpr size_t kLongestName = 40;

// How many characters must be added, dropped or replaced to make `a`, at most
// kLongestName long, of `b` (Levenshtein's distance).
size_t EditsBetween(const char* a, size_t a_length, const char* b) {
  size_t row[kLongestName + 1];  // [i]: to make the first i of `a` of b's
  for (size_t i = 0; i <= a_length; ++i) row[i] = i;
  for (size_t j = 0; b[j] != '\0'; ++j) {
    size_t diagonal = std::exchange(row[0], j + 1);
    for (size_t i = 1; i <= a_length; ++i) {
      const size_t replaced = diagonal + (a[i - 1] == b[j] ? 0 : 1);
      diagonal = row[i];
      row[i] = std::min({replaced, row[i] + 1, row[i - 1] + 1});
    }
  }
  return row[a_length];
}

// Tells of the variable `name` if it looks like a misspelt option.
void ComplainIfMisspelt(const char* name, size_t length) {
  constexpr size_t kFewEdits = 2;
  const Description* nearest = nullptr;
  size_t edits = kFewEdits + 1;
  for (const Description& d : kDescriptions) {
    const size_t its_edits = EditsBetween(name, length, d.environment);
    if (its_edits >= edits) continue;
    edits = its_edits;
    nearest = &d;
  }
  if (nearest == nullptr || edits == 0) return;
  char copy[kLongestName + 1] = {};
  memcpy(copy, name, length);
  LogLine()
      .Text(copy)
      .Text(" is not an option; ")
      .Text(nearest->environment)
      .Text(" is")
      .Send();
}

void ComplainOfMisspelt() {
  constexpr char kOurs[] = "HAKMEM_";
  for (char* const* at = environ; *at != nullptr; ++at) {
    const char* const end = strchr(*at, '=');
    if (end == nullptr || strncmp(*at, kOurs, sizeof(kOurs) - 1) != 0) continue;
    const auto length = static_cast<size_t>(end - *at);
    if (length <= kLongestName) ComplainIfMisspelt(*at, length);
  }
}

}  // namespace

constinit std::atomic<uint64_t> internal::values[] = {
#define HAKMEM_OPTION(name, NAME, type, fallback, least, most, doc) {fallback},
#include "base/text/options.def"
#undef HAKMEM_OPTION
};

const Description& Describe(Option option) { return kDescriptions[option]; }

const char* TypeName(Type type) {
  switch (type) {
    case Type::kBool:
      return "bool";
    case Type::kSize:
      return "size";
    case Type::kNumber:
      return "number";
    case Type::kDuration:
      return "duration";
    case Type::kFormat:
      return "format";
    case Type::kOutput:
      return "output";
  }
  return "";
}

const char* FormatName(uint64_t value) {
  return value < std::size(kFormatNames) ? kFormatNames[value] : "";
}

bool WritesJson(Option where, Option format) {
  const auto chosen = static_cast<Format>(Get(format));
  if (chosen != Format::kAuto) return chosen == Format::kJson;
  static constexpr char kEnd[] = ".jsonl";
  constexpr size_t kEndLength = sizeof(kEnd) - 1;
  const char* const path = OutputPath(where);
  const size_t length = strlen(path);
  return length >= kEndLength && strcmp(path + length - kEndLength, kEnd) == 0;
}

const char* OutputPath(Option option) {
  // acquire: pairs with the release in ReadOne.
  if (internal::values[option].load(std::memory_order_acquire) == 0) return "";
  return paths[OutputsBefore(option)];
}

bool Parse(Type type, const char* text, uint64_t* value) {
  switch (type) {
    case Type::kBool:
      return ParseBool(text, value);
    case Type::kSize:
      return ParseScaled(text, kSizeSuffixes, value);
    case Type::kNumber:
      return ParseScaled(text, kNumberSuffixes, value);
    case Type::kDuration:
      return ParseScaled(text, kDurationSuffixes, value);
    case Type::kFormat:
      return ParseFormat(text, value);
    case Type::kOutput:
      return ParseOutput(text, value);
  }
  return false;
}

bool Read() {
  if (environ == nullptr) return false;
  // relaxed: the values are independent atomics, each valid at any time.
  if (was_read.exchange(true, std::memory_order_relaxed)) return true;
  if (getauxval(AT_SECURE) != 0) return true;
  for (size_t option = 0; option < kCount; ++option) ReadOne(option);
  ComplainOfMisspelt();
  return true;
}

}  // namespace hakmem::options
