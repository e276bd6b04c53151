#include <stdint.h>
#include <string.h>

#include <string>
#include <utility>
#include <vector>

#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/small/small.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kAppends = 24'000'000;
constexpr size_t kLongestPiece = 40;

// How long strings get: one in so many is long.
constexpr uint64_t kLongEvery = 64;
constexpr LogUniform kLengths(16, size_t{4} << 10);
constexpr LogUniform kLongLengths(size_t{4} << 10, size_t{100} << 10);

constexpr size_t kGrowing = 256;    // strings at a time
constexpr size_t kShelves = 64;     // vectors of finished strings
constexpr size_t kShelfFull = 128;  // strings; then the vector is destroyed

// What pieces are cut from.
class Source {
 public:
  explicit Source(Random& random) {
    for (char& c : text_) c = static_cast<char>(random.Next() >> 56);
  }

  struct Piece {
    const char* text;
    size_t length;  // 1 to kLongestPiece
  };
  Piece Cut(Random& random) const {
    const uint64_t bits = random.Next();
    return {text_ + bits % kPlaces,
            1 + static_cast<size_t>((bits >> 32) * kLongestPiece >> 32)};
  }

 private:
  static constexpr size_t kPlaces = 4096;
  char text_[kPlaces + kLongestPiece];
};

// A string that grows, and how to tell what it must hold: the pieces that are
// cut with the random numbers of `seed`.
class Text {
 public:
  Text(uint64_t seed, size_t target)
      : seed_(seed), target_(target), random_(seed) {}

  // True when it has got its length.
  bool Append(const Source& source) {
    const Source::Piece piece = source.Cut(random_);
    text_.append(piece.text, piece.length);
    length_ += piece.length;
    return length_ >= target_;
  }

  void Check(const Source& source) const {
    if (text_.size() != length_) DieWrong();
    Random random(seed_);
    for (size_t at = 0; at < length_;) {
      const Source::Piece piece = source.Cut(random);
      if (memcmp(text_.data() + at, piece.text, piece.length) != 0) DieWrong();
      at += piece.length;
    }
  }

 private:
  [[noreturn]] void DieWrong() const {
    Die(kAllocatorFailed,
        "the string at %p no longer holds what was appended to it",
        static_cast<const void*>(text_.data()));
  }

  std::string text_;
  uint64_t seed_;
  size_t target_;
  size_t length_ = 0;
  Random random_;
};

class Texts {
 public:
  explicit Texts(uint64_t seed) : random_(seed), source_(random_) {
    growing_.reserve(kGrowing);
    for (size_t i = 0; i < kGrowing; ++i) growing_.push_back(NewText());
  }

  // One piece for one string. Returns the shelf that this made full, or null.
  std::vector<Text>* Step() {
    Text& text = growing_[random_.Below(kGrowing)];
    if (!text.Append(source_)) return nullptr;
    std::vector<Text>& shelf = shelves_[random_.Below(kShelves)];
    shelf.push_back(std::move(text));
    text = NewText();
    return shelf.size() == kShelfFull ? &shelf : nullptr;
  }

  void Check(const std::vector<Text>& texts) const {
    for (const Text& text : texts) text.Check(source_);
  }
  void CheckAll() const {
    Check(growing_);
    for (const std::vector<Text>& shelf : shelves_) Check(shelf);
  }

 private:
  Text NewText() {
    const LogUniform& lengths =
        random_.Below(kLongEvery) == 0 ? kLongLengths : kLengths;
    return Text(random_.Next(), lengths.Draw(random_));
  }

  Random random_;
  const Source source_;
  std::vector<Text> growing_;
  std::vector<Text> shelves_[kShelves];
};

}  // namespace

void StringAppend(Run& run) {
  const uint64_t appends = run.Scaled(kAppends);
  Texts texts(run.seed());
  run.Start();
  for (uint64_t i = 0; i < appends; ++i) {
    std::vector<Text>* const full = texts.Step();
    if (full == nullptr) continue;
    run.Stop();
    texts.Check(*full);
    run.Start();
    std::vector<Text>().swap(*full);
  }
  run.Stop();
  run.Count(appends);
  run.Finish();
  texts.CheckAll();
}

}  // namespace hakmem::bench
