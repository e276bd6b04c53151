// Protocol buffers' wire format, as far as pprof's profiles need it: fields
// that are numbers, texts and messages
// (protobuf.dev/programming-guides/encoding).
#ifndef HAKMEM_TOOLS_HEAP_PROFILE_WIRE_FORMAT_H_
#define HAKMEM_TOOLS_HEAP_PROFILE_WIRE_FORMAT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hakmem::tools {

// A message that is being written. Each function adds a field.
class MessageWriter {
 public:
  // A number; 0, the default, is left out.
  void Number(int field, uint64_t value) {
    if (value == 0) return;
    Varint(static_cast<uint64_t>(field) << 3 | kVarint);
    Varint(value);
  }
  // A text or a message.
  void Bytes(int field, std::string_view bytes) {
    Varint(static_cast<uint64_t>(field) << 3 | kBytes);
    Varint(bytes.size());
    text_.append(bytes);
  }
  // Numbers, packed.
  void Numbers(int field, const std::vector<uint64_t>& values) {
    MessageWriter packed;
    for (const uint64_t value : values) packed.Varint(value);
    Bytes(field, packed.text_);
  }

  const std::string& text() const { return text_; }

 private:
  friend class MessageReader;
  static constexpr uint64_t kVarint = 0;
  static constexpr uint64_t kBytes = 2;

  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      text_.push_back(static_cast<char>(value | 0x80));
    }
    text_.push_back(static_cast<char>(value));
  }

  std::string text_;
};

// Goes through the fields of a message:
//
//   MessageReader message(text);
//   while (message.Next()) if (message.field() == 1) Use(message.number());
//   if (!message.ok()) …
class MessageReader {
 public:
  explicit MessageReader(std::string_view text) : rest_(text) {}

  // False at the end, and where the text is no message.
  bool Next() {
    if (rest_.empty() || !ok_) return false;
    uint64_t tag = 0;
    ok_ = Varint(&tag) && Value(tag & 7);
    field_ = static_cast<int>(tag >> 3);
    return ok_;
  }
  bool ok() const { return ok_; }

  int field() const { return field_; }
  uint64_t number() const { return number_; }        // 0 for bytes
  std::string_view bytes() const { return bytes_; }  // empty for a number
  // The packed numbers of this field.
  std::vector<uint64_t> Numbers() const {
    std::vector<uint64_t> numbers;
    MessageReader packed(bytes_);
    uint64_t number = 0;
    while (!packed.rest_.empty() && packed.Varint(&number)) {
      numbers.push_back(number);
    }
    return numbers;
  }

 private:
  bool Varint(uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return false;
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      *value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool Value(uint64_t type) {
    number_ = 0;
    bytes_ = {};
    if (type == MessageWriter::kVarint) return Varint(&number_);
    uint64_t size = 0;
    if (type != MessageWriter::kBytes || !Varint(&size) ||
        size > rest_.size()) {
      return false;
    }
    bytes_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  bool ok_ = true;
  int field_ = 0;
  uint64_t number_ = 0;
  std::string_view bytes_;
};

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HEAP_PROFILE_WIRE_FORMAT_H_
