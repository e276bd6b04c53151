// A JSON value: enough to read what a worker prints and to write a report.
// Objects keep the order of insertion. Numbers are doubles, exact for whole
// numbers below 2^53. Reading a member that is missing gives null, and null
// has no number, so callers check once, where they need the value.
#ifndef HAKMEM_BENCHMARKS_HARNESS_JSON_H_
#define HAKMEM_BENCHMARKS_HARNESS_JSON_H_

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hakmem::bench {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  // From exactly bool: a pointer must not turn into one.
  template <std::same_as<bool> Bool>
  Json(Bool value) : value_(value) {}  // NOLINT(google-explicit-constructor)
  template <typename Number>
  requires std::is_arithmetic_v<Number> &&(!std::same_as<Number, bool>)
      Json(Number value)  // NOLINT(google-explicit-constructor)
      : value_(static_cast<double>(value)) {}
  Json(std::string value)  // NOLINT(google-explicit-constructor)
      : value_(std::move(value)) {}
  Json(const char* value)  // NOLINT(google-explicit-constructor)
      : value_(std::string(value)) {}
  Json(Array value)  // NOLINT(google-explicit-constructor)
      : value_(std::move(value)) {}
  Json(Object value)  // NOLINT(google-explicit-constructor)
      : value_(std::move(value)) {}

  // The value that is the whole of `text`, or nothing when that is not JSON.
  static std::optional<Json> Parse(std::string_view text);

  bool is_null() const {
    return std::holds_alternative<std::monostate>(value_);
  }
  std::optional<double> number() const;
  // Empty for what is not a string.
  std::string text() const;
  // Empty for what is not an array.
  const Array& items() const;
  // Empty for what is not an object.
  const Object& members() const;
  // The member of that name; null when there is none, or no object.
  const Json& operator[](std::string_view key) const;

  // Adds a member; a null becomes an object first.
  void Set(std::string_view key, Json value);
  void Remove(std::string_view key);

  // The text, `indent` spaces per level, or on one line when 0. Lists within
  // `levels` others stand on one line.
  std::string Dump(int indent = 0, int levels = kAllLevels) const;

 private:
  static constexpr int kAllLevels = 1000;

  // `levels`: that are left.
  void DumpTo(std::string& out, int indent, int depth, int levels) const;

  std::variant<std::monostate, bool, double, std::string, Array, Object> value_;
};

// `text` in quotes, as JSON writes it.
std::string JsonQuote(std::string_view text);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_JSON_H_
