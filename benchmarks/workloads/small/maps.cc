#include <stdint.h>

#include <map>
#include <unordered_map>

#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/small/mapped_array.h"
#include "benchmarks/workloads/small/small.h"

namespace hakmem::bench {
namespace {

// Nodes enough for some 16 MiB, and so few that a round is a fraction of half a
// second: a map of a million takes three seconds for one.
constexpr size_t kNodes = size_t{1} << 18;
constexpr size_t kFresh = kNodes / 2;  // inserted after as many were erased

constexpr int kWalks = 2;

// What the map holds for a key.
constexpr uint64_t ValueOf(uint64_t key) { return DistinctTag(key); }

// All numbers below kNodes in an order unlike theirs: nodes are visited neither
// as they were made nor as they are sorted.
constexpr size_t Scatter(size_t i) {
  return i * 0x9e3779b97f4a7c15 & (kNodes - 1);
}

[[noreturn]] void DieWrong() {
  Die(kAllocatorFailed, "the map no longer holds what was put into it");
}

// Adds up what a walk must see, in any order.
struct Sum {
  void Add(uint64_t key, uint64_t value) {
    keys += key;
    values += value;
    ++count;
  }
  bool operator==(const Sum&) const = default;

  uint64_t keys = 0;
  uint64_t values = 0;
  uint64_t count = 0;
};

// The keys of one round: first those that fill the map, then the fresh ones.
class Keys {
 public:
  // A Random never repeats itself, so no two keys are alike.
  explicit Keys(Random& random) : keys_(kNodes + kFresh) {
    for (uint64_t& key : keys_) key = random.Next();
  }

  uint64_t first(size_t i) const { return keys_[i]; }
  uint64_t scattered(size_t i) const { return keys_[Scatter(i)]; }
  uint64_t fresh(size_t i) const { return keys_[kNodes + i]; }

  // What is in the full map, and in the one of half old and half fresh keys.
  Sum AtFirst() const {
    Sum sum;
    for (size_t i = 0; i < kNodes; ++i) sum.Add(first(i), ValueOf(first(i)));
    return sum;
  }
  Sum Refilled() const {
    Sum sum;
    for (size_t i = kFresh; i < kNodes; ++i) {
      sum.Add(scattered(i), ValueOf(scattered(i)));
    }
    for (size_t i = 0; i < kFresh; ++i) sum.Add(fresh(i), ValueOf(fresh(i)));
    return sum;
  }

 private:
  MappedArray<uint64_t> keys_;
};

constexpr bool IsSorted(const std::map<uint64_t, uint64_t>*) { return true; }
constexpr bool IsSorted(const std::unordered_map<uint64_t, uint64_t>*) {
  return false;
}

template <class Map>
void Walk(const Map& map, const Sum& expected) {
  for (int walk = 0; walk < kWalks; ++walk) {
    Sum seen;
    uint64_t last = 0;  // no key is 0
    for (const auto& [key, value] : map) {
      seen.Add(key, value);
      if constexpr (IsSorted(static_cast<Map*>(nullptr))) {
        if (key <= last) DieWrong();
        last = key;
      }
      // Lost nodes can be found again and again.
      if (seen.count > kNodes) DieWrong();
    }
    if (seen != expected) DieWrong();
  }
}

// Everything of a round that is timed.
template <class Map>
void Use(const Keys& keys, const Sum& at_first, const Sum& refilled) {
  Map map;
  for (size_t i = 0; i < kNodes; ++i) {
    map.emplace(keys.first(i), ValueOf(keys.first(i)));
  }
  Walk(map, at_first);
  for (size_t i = 0; i < kNodes; ++i) {
    const auto found = map.find(keys.scattered(i));
    if (found == map.end() || found->second != ValueOf(found->first)) {
      DieWrong();
    }
  }
  for (size_t i = 0; i < kFresh; ++i) {
    if (map.erase(keys.scattered(i)) != 1) DieWrong();
  }
  for (size_t i = 0; i < kFresh; ++i) {
    map.emplace(keys.fresh(i), ValueOf(keys.fresh(i)));
  }
  Walk(map, refilled);
}

template <class Map>
void RunMap(Run& run, uint64_t usual_rounds) {
  const uint64_t rounds = run.Scaled(usual_rounds);
  Random random(run.seed());
  for (uint64_t round = 0; round < rounds; ++round) {
    const Keys keys(random);
    const Sum at_first = keys.AtFirst();
    const Sum refilled = keys.Refilled();
    run.Start();
    Use<Map>(keys, at_first, refilled);
    run.Stop();
    run.Count(kNodes + kFresh);
  }
  run.Finish();
}

}  // namespace

void OrderedMap(Run& run) { RunMap<std::map<uint64_t, uint64_t>>(run, 2); }
void UnorderedMap(Run& run) {
  RunMap<std::unordered_map<uint64_t, uint64_t>>(run, 8);
}

}  // namespace hakmem::bench
