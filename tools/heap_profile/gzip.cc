#include "tools/heap_profile/gzip.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

namespace hakmem::tools {
namespace {

// Magic, deflate, no flags, no time, no hints, unknown system.
constexpr std::string_view kHeader("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
constexpr size_t kMostInBlock = 65535;

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
    }
    table[i] = crc;
  }
  return table;
}();

uint32_t Crc32(std::string_view text) {
  uint32_t crc = ~uint32_t{0};
  for (const char c : text) {
    crc = kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xff] ^ (crc >> 8);
  }
  return ~crc;
}

void AppendLittleEndian(uint64_t value, int bytes, std::string& out) {
  for (int i = 0; i < bytes; ++i) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i > 0; --i) {
    value = value << 8 | static_cast<uint8_t>(bytes[i - 1]);
  }
  return value;
}

}  // namespace

std::string GzipStored(std::string_view contents) {
  std::string out(kHeader);
  std::string_view rest = contents;
  do {
    const std::string_view block =
        rest.substr(0, std::min(rest.size(), kMostInBlock));
    rest.remove_prefix(block.size());
    out.push_back(rest.empty() ? 1 : 0);  // the last one; stored
    AppendLittleEndian(block.size(), 2, out);
    AppendLittleEndian(~block.size(), 2, out);
    out.append(block);
  } while (!rest.empty());
  AppendLittleEndian(Crc32(contents), 4, out);
  AppendLittleEndian(contents.size(), 4, out);
  return out;
}

absl::StatusOr<std::string> GunzipStored(std::string_view file) {
  const absl::Status error = absl::InvalidArgumentError(
      "not a profile that hakmem profile has written, or damaged");
  if (file.substr(0, kHeader.size()) != kHeader) return error;
  file.remove_prefix(kHeader.size());
  std::string contents;
  for (bool is_last = false; !is_last;) {
    if (file.size() < 5 || static_cast<uint8_t>(file[0]) > 1) return error;
    is_last = file[0] == 1;
    const uint64_t bytes = LittleEndian(file.substr(1, 2));
    if (bytes != (~LittleEndian(file.substr(3, 2)) & 0xffff) ||
        file.size() - 5 < bytes) {
      return error;
    }
    contents.append(file.substr(5, bytes));
    file.remove_prefix(5 + bytes);
  }
  if (file.size() != 8 || LittleEndian(file.substr(0, 4)) != Crc32(contents) ||
      LittleEndian(file.substr(4)) != (contents.size() & 0xffffffff)) {
    return error;
  }
  return contents;
}

}  // namespace hakmem::tools
