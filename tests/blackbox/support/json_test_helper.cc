// A recursive reader, one function per JSON production.
#include "tests/blackbox/support/json_test_helper.h"

#include <cctype>
#include <cstring>

namespace hakmem_test {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& text) : at_(text.c_str()) {}

  bool ReadDocument() {
    SkipSpace();
    if (*at_ != '{' || !ReadValue("")) return false;
    return *at_ == '\0';
  }

  std::map<std::string, std::string> values;

 private:
  void SkipSpace() { at_ += strspn(at_, " \t\r\n"); }

  // Consumes `c` and the space after it, if it is next.
  bool Take(char c) {
    if (*at_ != c) return false;
    ++at_;
    SkipSpace();
    return true;
  }

  bool Add(const std::string& path, const std::string& value) {
    SkipSpace();
    return values.emplace(path, value).second;
  }

  bool ReadValue(const std::string& path) {
    if (*at_ == '{') return ReadObject(path);
    if (*at_ == '[') return ReadArray(path);
    if (*at_ == '"') {
      std::string text;
      return ReadString(&text) && Add(path, text);
    }
    for (const char* word : {"true", "false", "null"}) {
      if (strncmp(at_, word, strlen(word)) == 0) {
        at_ += strlen(word);
        return Add(path, word);
      }
    }
    return ReadNumber(path);
  }

  bool ReadObject(const std::string& path) {
    const std::string prefix = path.empty() ? "" : path + ".";
    Take('{');
    if (Take('}')) return true;
    do {
      std::string name;
      if (!ReadString(&name)) return false;
      SkipSpace();
      if (!Take(':') || !ReadValue(prefix + name)) return false;
    } while (Take(','));
    return Take('}');
  }

  bool ReadArray(const std::string& path) {
    Take('[');
    if (Take(']')) return true;
    int index = 0;
    do {
      if (!ReadValue(path + "." + std::to_string(index++))) return false;
    } while (Take(','));
    return Take(']');
  }

  // Escapes are checked and kept unchanged.
  bool ReadString(std::string* text) {
    if (*at_ != '"') return false;
    const char* begin = ++at_;
    for (; *at_ != '"'; ++at_) {
      if (static_cast<unsigned char>(*at_) < ' ') return false;
      if (*at_ != '\\') continue;
      ++at_;
      if (*at_ == 'u') {
        for (int i = 0; i < 4; ++i) {
          if (!isxdigit(static_cast<unsigned char>(*++at_))) return false;
        }
      } else if (*at_ == '\0' || strchr("\"\\/bfnrt", *at_) == nullptr) {
        return false;
      }
    }
    text->assign(begin, at_++);
    return true;
  }

  bool SkipDigits() {
    const size_t digits = strspn(at_, "0123456789");
    at_ += digits;
    return digits > 0;
  }

  bool ReadNumber(const std::string& path) {
    const char* begin = at_;
    if (*at_ == '-') ++at_;
    if (*at_ == '0') {
      ++at_;
    } else if (!SkipDigits()) {
      return false;
    }
    if (*at_ == '.') {
      ++at_;
      if (!SkipDigits()) return false;
    }
    if (*at_ == 'e' || *at_ == 'E') {
      ++at_;
      if (*at_ == '+' || *at_ == '-') ++at_;
      if (!SkipDigits()) return false;
    }
    return Add(path, std::string(begin, at_));
  }

  const char* at_;
};

}  // namespace

std::optional<std::map<std::string, std::string>> ReadJsonObject(
    const std::string& text) {
  Reader reader(text);
  if (!reader.ReadDocument()) return std::nullopt;
  return reader.values;
}

}  // namespace hakmem_test
