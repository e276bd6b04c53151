#include "benchmarks/harness/json.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_format.h"

namespace hakmem::bench {
namespace {

std::string NumberText(double value) {
  if (!std::isfinite(value)) return "null";
  char text[40];
  // Counts as people write them; the rest as short as reading back allows.
  const bool whole = std::abs(value) <= 0x1p53 && value == std::floor(value);
  const auto result = whole ? std::to_chars(text, text + sizeof(text),
                                            static_cast<int64_t>(value))
                            : std::to_chars(text, text + sizeof(text), value);
  return std::string(text, result.ptr);
}

}  // namespace

std::string JsonQuote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
  return out;
}

std::optional<double> Json::number() const {
  const auto* const number = std::get_if<double>(&value_);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::string Json::text() const {
  const auto* const text = std::get_if<std::string>(&value_);
  return text == nullptr ? "" : *text;
}

const Json::Array& Json::items() const {
  static const Array* const none = new Array;
  const auto* const items = std::get_if<Array>(&value_);
  return items == nullptr ? *none : *items;
}

const Json::Object& Json::members() const {
  static const Object* const none = new Object;
  const auto* const members = std::get_if<Object>(&value_);
  return members == nullptr ? *none : *members;
}

const Json& Json::operator[](std::string_view key) const {
  static const Json* const null = new Json;
  for (const auto& [name, member] : members()) {
    if (name == key) return member;
  }
  return *null;
}

void Json::Set(std::string_view key, Json value) {
  if (is_null()) value_ = Object();
  std::get<Object>(value_).emplace_back(key, std::move(value));
}

void Json::Remove(std::string_view key) {
  if (auto* const members = std::get_if<Object>(&value_)) {
    std::erase_if(*members,
                  [&](const auto& member) { return member.first == key; });
  }
}

std::string Json::Dump(int indent, int levels) const {
  std::string out;
  DumpTo(out, indent, 0, levels);
  return out;
}

void Json::DumpTo(std::string& out, int indent, int depth, int levels) const {
  if (depth >= levels) indent = 0;
  // Each list ends its lines itself: a comma between items, the closing
  // bracket one level out.
  const auto new_line = [&](int level) {
    if (indent == 0) return;
    out += '\n';
    out.append(static_cast<size_t>(indent) * static_cast<size_t>(level), ' ');
  };
  if (is_null()) {
    out += "null";
  } else if (const auto* flag = std::get_if<bool>(&value_)) {
    out += *flag ? "true" : "false";
  } else if (const auto* number = std::get_if<double>(&value_)) {
    out += NumberText(*number);
  } else if (const auto* text = std::get_if<std::string>(&value_)) {
    out += JsonQuote(*text);
  } else if (const auto* array = std::get_if<Array>(&value_)) {
    out += '[';
    for (size_t i = 0; i < array->size(); ++i) {
      if (i != 0) out += indent == 0 ? ", " : ",";
      new_line(depth + 1);
      (*array)[i].DumpTo(out, indent, depth + 1, levels);
    }
    if (!array->empty()) new_line(depth);
    out += ']';
  } else if (const auto* object = std::get_if<Object>(&value_)) {
    out += '{';
    for (size_t i = 0; i < object->size(); ++i) {
      if (i != 0) out += indent == 0 ? ", " : ",";
      new_line(depth + 1);
      out += JsonQuote((*object)[i].first) + ": ";
      (*object)[i].second.DumpTo(out, indent, depth + 1, levels);
    }
    if (!object->empty()) new_line(depth);
    out += '}';
  }
}

}  // namespace hakmem::bench
