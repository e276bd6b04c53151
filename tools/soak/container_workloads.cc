// What C++ programs allocate for: maps, strings, trees. These check their own
// contents, and survive bad_alloc anywhere.
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tools/soak/counters.h"
#include "tools/soak/refusals.h"
#include "tools/soak/workloads.h"

namespace hakmem::soak {
namespace {

// Runs `function`, which may throw bad_alloc where requests may be refused.
template <typename Function>
void WithRefusals(const char* what, const Function& function) {
  const uint64_t epoch = LimitEpoch();
  try {
    function();
  } catch (const std::bad_alloc&) {
    ++counters.refused;
    if (!MayBeRefused(epoch))
      ReportError("bad_alloc in %s without a limit", what);
  }
}

std::string TextOf(uint64_t key) {
  std::string text(Mix(key) % 100, static_cast<char>('a' + key % 26));
  text += std::to_string(key);
  return text;
}

template <typename Map>
void UseMap(Random& random) {
  Map map;
  const size_t keys = random.LogUniform(16, 5000);
  for (size_t steps = keys * 2; steps > 0; --steps) {
    const uint64_t key = random.Below(keys);
    counters.operations += 2;
    if (random.OneIn(2)) {
      map[key] = TextOf(key);
      continue;
    }
    const auto found = map.find(key);
    if (found == map.end()) continue;
    ++counters.checked;
    // Empty where the text could not be allocated.
    if (!found->second.empty() && found->second != TextOf(key)) {
      ReportError("a map has a wrong text for %zu", static_cast<size_t>(key));
    }
    map.erase(found);
  }
}

// An expression: what the leaves say, put together by the nodes. Deleted by
// the size of its class.
class Node {
 public:
  Node(Random& random, int depth) : value_(random.Next()) {
    if (depth == 0 || random.OneIn(8)) return;
    left_ = std::make_unique<Node>(random, depth - 1);
    right_ = std::make_unique<Node>(random, depth - 1);
    if (random.OneIn(4)) note_ = TextOf(value_);
    counters.operations += 2;
  }

  uint64_t Evaluate() const {
    uint64_t sum = value_;
    if (left_ != nullptr) {
      sum = Mix(sum + left_->Evaluate()) ^ right_->Evaluate();
    }
    for (const char c : note_) sum += static_cast<unsigned char>(c);
    return sum;
  }

 private:
  uint64_t value_;
  std::unique_ptr<Node> left_;
  std::unique_ptr<Node> right_;
  std::string note_;
};

}  // namespace

void Maps(ThreadState& state) {
  Random& random = state.random;
  WithRefusals("a map", [&] {
    random.OneIn(2) ? UseMap<std::map<uint64_t, std::string>>(random)
                    : UseMap<std::unordered_map<uint64_t, std::string>>(random);
  });
}

// Appended to until they are long, as a text that is put together.
void Strings(ThreadState& state) {
  Random& random = state.random;
  WithRefusals("a string", [&] {
    std::vector<std::pair<uint64_t, std::string>> texts(random.Between(1, 8));
    for (auto& [seed, text] : texts) seed = random.Next();
    const size_t most = random.LogUniform(256, size_t{2} << 20);
    for (size_t steps = 2000; steps > 0; --steps) {
      auto& [seed, text] = texts[random.Below(texts.size())];
      const size_t length = random.LogUniform(1, most / 64 + 1);
      text.append(length, static_cast<char>(Mix(seed + text.size())));
      ++counters.operations;
      if (text.size() > most) text = std::string();
    }
    // Again, from the start: the same appends have left the same letters.
    for (auto& [seed, text] : texts) {
      ++counters.checked;
      for (size_t at = 0; at < text.size();) {
        const auto letter = static_cast<char>(Mix(seed + at));
        const size_t end = text.find_first_not_of(letter, at);
        if (end == at) {
          ReportError("a string of %zu bytes is wrong at byte %zu", text.size(),
                      at);
          break;
        }
        at = end == std::string::npos ? text.size() : end;
      }
    }
  });
}

void Trees(ThreadState& state) {
  Random& random = state.random;
  WithRefusals("a tree", [&] {
    std::vector<std::pair<uint64_t, std::unique_ptr<Node>>> trees;
    for (size_t steps = random.Between(4, 40); steps > 0; --steps) {
      auto tree = std::make_unique<Node>(
          random, static_cast<int>(random.Between(2, 11)));
      trees.emplace_back(tree->Evaluate(), std::move(tree));
      const size_t other = random.Below(trees.size());
      ++counters.checked;
      if (trees[other].second->Evaluate() != trees[other].first) {
        ReportError("a tree has changed");
      }
      if (random.OneIn(2)) {
        std::swap(trees[other], trees.back());
        trees.pop_back();
      }
    }
  });
}

}  // namespace hakmem::soak
