// ByteSource: a test's decisions, drawn from bytes.
//
// A model asks it for the next operation and its sizes. The bytes, from a
// random number generator or a fuzzer that mutates them, determine the whole
// run. Each draw consumes as few bytes as possible from the front, so that a
// changed, removed or inserted byte affects one operation and leaves the
// others. After the last byte every draw is 0.
#ifndef HAKMEM_TESTS_STATE_FUZZ_BYTE_SOURCE_H_
#define HAKMEM_TESTS_STATE_FUZZ_BYTE_SOURCE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>

namespace hakmem::fuzz {

class ByteSource {
 public:
  explicit ByteSource(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }

  // A number in [0, bound). `bound` is not 0.
  uint64_t Below(uint64_t bound) {
    uint64_t value = 0;
    for (uint64_t rest = bound - 1; rest != 0; rest >>= 8) {
      value = value << 8 | Byte();
    }
    return value % bound;
  }

  // A number in [least, most]; not the full range of uint64_t.
  uint64_t Between(uint64_t least, uint64_t most) {
    return least + Below(most - least + 1);
  }

  // A size in [least, most], each doubling equally likely. `least` is not 0.
  uint64_t Doubling(uint64_t least, uint64_t most) {
    const auto first = static_cast<uint64_t>(std::bit_width(least));
    const auto last = static_cast<uint64_t>(std::bit_width(most));
    const uint64_t low = uint64_t{1} << (Between(first, last) - 1);
    const uint64_t high = low - 1 + low;
    return Between(low < least ? least : low, high > most ? most : high);
  }

  // A power of two in [least, most], both powers of two.
  uint64_t PowerOfTwo(uint64_t least, uint64_t most) {
    const auto steps =
        static_cast<uint64_t>(std::countr_zero(most) - std::countr_zero(least));
    return least << Below(steps + 1);
  }

  bool OneIn(uint64_t n) { return Below(n) == n - 1; }

  // An index into `weights`, with probability proportional to its weight.
  size_t Choose(std::initializer_list<uint64_t> weights) {
    uint64_t sum = 0;
    for (const uint64_t weight : weights) sum += weight;
    uint64_t drawn = Below(sum);
    size_t place = 0;
    for (const uint64_t weight : weights) {
      if (drawn < weight) break;
      drawn -= weight;
      ++place;
    }
    return place;
  }

 private:
  uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

  std::span<const uint8_t> bytes_;
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_BYTE_SOURCE_H_
