// Json::Parse: from text to a Json value.
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "benchmarks/harness/json.h"

namespace hakmem::bench {
namespace {

// Deeper nesting than any report has; keeps hostile input off the stack.
constexpr int kMaxDepth = 64;

void AppendUtf8(uint32_t code, std::string& out) {
  const auto tail = [&](int shift) {
    out += static_cast<char>(0x80 | ((code >> shift) & 0x3f));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

// Recursive descent over `text_`; every Parse* consumes what it recognises and
// returns false at the first thing that is not JSON.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool ParseDocument(Json& value) {
    if (!ParseValue(value, 0)) return false;
    SkipSpace();
    return at_ == text_.size();
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) !=
                                     std::string_view::npos) {
      ++at_;
    }
  }

  bool Take(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  bool ParseValue(Json& value, int depth) {
    if (depth > kMaxDepth) return false;
    SkipSpace();
    if (at_ == text_.size()) return false;
    switch (text_[at_]) {
      case '{':
        return ParseObject(value, depth);
      case '[':
        return ParseArray(value, depth);
      case '"': {
        std::string text;
        if (!ParseString(text)) return false;
        value = Json(std::move(text));
        return true;
      }
      default:
        break;
    }
    if (Take("null")) {
      value = Json();
    } else if (Take("true")) {
      value = Json(true);
    } else if (Take("false")) {
      value = Json(false);
    } else {
      return ParseNumber(value);
    }
    return true;
  }

  bool ParseNumber(Json& value) {
    // from_chars would also take "inf" and "nan".
    const char first = text_[at_];
    if (first != '-' && (first < '0' || first > '9')) return false;
    double number = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] =
        std::from_chars(begin, text_.data() + text_.size(), number);
    if (error != std::errc() || !std::isfinite(number)) return false;
    at_ += static_cast<size_t>(end - begin);
    value = Json(number);
    return true;
  }

  bool ParseHex4(uint32_t& code) {
    if (text_.size() - at_ < 4) return false;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, begin + 4, code, 16);
    at_ += 4;
    return error == std::errc() && end == begin + 4;
  }

  bool ParseEscape(std::string& text) {
    if (at_ == text_.size()) return false;
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = text_[at_++];
    if (const size_t i = kLetters.find(letter); i != std::string_view::npos) {
      text += kMeanings[i];
      return true;
    }
    uint32_t code = 0;
    if (letter != 'u' || !ParseHex4(code)) return false;
    if (code >= 0xd800 && code < 0xdc00) {  // the first half of a pair
      uint32_t low = 0;
      if (!Take("\\u") || !ParseHex4(low) || low < 0xdc00 || low >= 0xe000) {
        return false;
      }
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
      return false;
    }
    AppendUtf8(code, text);
    return true;
  }

  bool ParseString(std::string& text) {
    ++at_;  // the quote
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        text += c;
      } else if (!ParseEscape(text)) {
        return false;
      }
    }
    return false;
  }

  bool ParseArray(Json& value, int depth) {
    ++at_;  // the bracket
    Json::Array items;
    SkipSpace();
    if (!Take("]")) {
      do {
        if (!ParseValue(items.emplace_back(), depth + 1)) return false;
        SkipSpace();
      } while (Take(","));
      if (!Take("]")) return false;
    }
    value = Json(std::move(items));
    return true;
  }

  bool ParseObject(Json& value, int depth) {
    ++at_;  // the brace
    Json::Object members;
    SkipSpace();
    if (!Take("}")) {
      do {
        auto& [key, member] = members.emplace_back();
        SkipSpace();
        if (at_ == text_.size() || text_[at_] != '"' || !ParseString(key)) {
          return false;
        }
        SkipSpace();
        if (!Take(":") || !ParseValue(member, depth + 1)) return false;
        SkipSpace();
      } while (Take(","));
      if (!Take("}")) return false;
    }
    value = Json(std::move(members));
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::optional<Json> Json::Parse(std::string_view text) {
  Json value;
  if (!Parser(text).ParseDocument(value)) return std::nullopt;
  return value;
}

}  // namespace hakmem::bench
