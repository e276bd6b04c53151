#include "base/text/json_line.h"

#include <cstddef>
#include <cstdint>

#include "base/os/system_call.h"

namespace hakmem {
namespace {

bool IsContinuation(unsigned char c) { return (c & 0xc0) == 0x80; }

// Bytes of the UTF-8 character, not ASCII, that `text` begins with; 0 when it
// begins with none (RFC 3629: no overlong forms, surrogates or code points
// above U+10FFFF). Reads no byte behind a NUL.
size_t Utf8Length(const char* text) {
  const auto at = [text](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char first = at(0);
  if (first < 0xc2 || first > 0xf4 || !IsContinuation(at(1))) return 0;
  if (first < 0xe0) return 2;
  if (!IsContinuation(at(2))) return 0;
  if (first < 0xf0) {
    const bool is_overlong = first == 0xe0 && at(1) < 0xa0;
    const bool is_surrogate = first == 0xed && at(1) >= 0xa0;
    return is_overlong || is_surrogate ? 0 : 3;
  }
  if (!IsContinuation(at(3))) return 0;
  const bool is_overlong = first == 0xf0 && at(1) < 0x90;
  const bool is_too_large = first == 0xf4 && at(1) >= 0x90;
  return is_overlong || is_too_large ? 0 : 4;
}

void WriteControl(unsigned char c, TextBuffer& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.Text("\\u00").Text(&kDigits[c >> 4], 1).Text(&kDigits[c & 15], 1);
}

}  // namespace

void BeginJsonLine(const char* kind, TextBuffer& out) {
  const long process = SystemCall(SYS_getpid);
  out.Text("{\"kind\":\"").Text(kind).Text("\",\"pid\":");
  out.Decimal(process > 0 ? static_cast<uint64_t>(process) : 0);
}

void WriteJsonString(const char* text, TextBuffer& out, size_t most) {
  out.Text("\"");
  const char* const begin = text;
  while (*text != '\0' && static_cast<size_t>(text - begin) < most) {
    const auto c = static_cast<unsigned char>(*text);
    size_t length = 1;
    if (c < ' ') {
      WriteControl(c, out);
    } else if (c == '"' || c == '\\') {
      out.Text("\\").Text(text, 1);
    } else if (c < 0x80) {
      out.Text(text, 1);
    } else if (const size_t utf8 = Utf8Length(text); utf8 != 0) {
      out.Text(text, utf8);
      length = utf8;
    } else {
      out.Text("\\ufffd");
    }
    text += length;
  }
  out.Text("\"");
}

}  // namespace hakmem
