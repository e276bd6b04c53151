#include "base/options.h"

#include <sys/auxv.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "base/log.h"

namespace hakmem::options {
namespace {

constexpr Description kDescriptions[] = {
#define HAKMEM_OPTION(name, NAME, type, fallback, least, most, doc) \
  {#name, "HAKMEM_" #NAME, Type::k##type, fallback, least, most, doc},
#include "base/options.def"
#undef HAKMEM_OPTION
};

constinit std::atomic<bool> was_read{false};

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

void ReadOne(size_t option) {
  const Description& d = kDescriptions[option];
  const char* text = getenv(d.environment);
  if (text == nullptr) return;
  uint64_t value = 0;
  if (!Parse(d.type, text, &value) || value < d.least || value > d.most) {
    LogLine()
        .Text(d.environment)
        .Text("=")
        .Text(text)
        .Text(" is ignored: not a ")
        .Text(TypeName(d.type))
        .Text(" from ")
        .Decimal(d.least)
        .Text(" to ")
        .Decimal(d.most)
        .Send();
    return;
  }
  internal::values[option].store(value, std::memory_order_relaxed);
}

}  // namespace

constinit std::atomic<uint64_t> internal::values[] = {
#define HAKMEM_OPTION(name, NAME, type, fallback, least, most, doc) {fallback},
#include "base/options.def"
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
  }
  return "";
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
  }
  return false;
}

bool Read() {
  if (environ == nullptr) return false;
  // relaxed: the values are atomics of their own, each valid at any time.
  if (was_read.exchange(true, std::memory_order_relaxed)) return true;
  if (getauxval(AT_SECURE) != 0) return true;
  for (size_t option = 0; option < kCount; ++option) ReadOne(option);
  return true;
}

}  // namespace hakmem::options
