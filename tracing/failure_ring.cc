#include "tracing/failure_ring.h"

#include <bit>

namespace hakmem {
namespace {

template <typename Record>
struct WordsOf {
  uint64_t words[sizeof(Record) / sizeof(uint64_t)];
};

}  // namespace

template <typename Record, size_t kSlots>
bool BasicFailureRing<Record, kSlots>::Claim(uint64_t ticket) {
  std::atomic<uint64_t>& state = slots_[ticket % kRecords].state;
  uint64_t before = state.load(std::memory_order_relaxed);
  // Odd: somebody writes. Larger: we were overtaken by a whole round.
  if (before % 2 != 0 || before > 2 * ticket) return false;
  // acquire: pairs with the release of the last writer's even state, so that
  // our words come after its.
  if (!state.compare_exchange_strong(before, 2 * ticket + 1,
                                     std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
    return false;
  }
  if (before != 0) lost_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

template <typename Record, size_t kSlots>
void BasicFailureRing<Record, kSlots>::Add(Record* record) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    // relaxed: a ticket orders nothing, the slot's state does.
    const uint64_t ticket = next_.fetch_add(1, std::memory_order_relaxed);
    record->sequence = ticket + 1;
    if (!Claim(ticket)) continue;
    Slot& slot = slots_[ticket % kRecords];
    const auto copy = std::bit_cast<WordsOf<Record>>(*record);
    for (size_t i = 0; i < kWords; ++i) {
      // release: pairs with the acquire of the words in Read; who sees one of
      // these words sees the odd state too.
      slot.words[i].store(copy.words[i], std::memory_order_release);
    }
    // release: pairs with the acquire of the state in Read; who sees it sees
    // all words.
    slot.state.store(2 * ticket + 2, std::memory_order_release);
    return;
  }
  lost_.fetch_add(1, std::memory_order_relaxed);
}

template <typename Record, size_t kSlots>
bool BasicFailureRing<Record, kSlots>::Read(uint64_t ticket,
                                            Record* record) const {
  const Slot& slot = slots_[ticket % kRecords];
  // acquire: pairs with the release of the state in Add.
  if (slot.state.load(std::memory_order_acquire) != 2 * ticket + 2) {
    return false;
  }
  WordsOf<Record> copy;
  for (size_t i = 0; i < kWords; ++i) {
    // acquire: pairs with the release of the words in Add. Also keeps the load
    // of the state below after them.
    copy.words[i] = slot.words[i].load(std::memory_order_acquire);
  }
  if (slot.state.load(std::memory_order_relaxed) != 2 * ticket + 2) {
    return false;
  }
  *record = std::bit_cast<Record>(copy);
  return true;
}

template <typename Record, size_t kSlots>
bool BasicFailureRing<Record, kSlots>::Last(Record* record) const {
  // Writers may overtake the search; they need a whole round to spoil it.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const uint64_t end = next_.load(std::memory_order_relaxed);
    const uint64_t begin = end < kRecords ? 0 : end - kRecords;
    for (uint64_t t = end; t > begin; --t) {
      if (Read(t - 1, record)) return true;
    }
    if (end == 0) return false;
  }
  return false;
}

template <typename Record, size_t kSlots>
uint64_t BasicFailureRing<Record, kSlots>::lost() const {
  // relaxed: counts, which order nothing.
  const uint64_t end = next_.load(std::memory_order_relaxed);
  uint64_t lost = 0;
  for (const Slot& slot : slots_) {
    const uint64_t state = slot.state.load(std::memory_order_relaxed);
    // Whole, but its successor in the slot went on to another ticket. It is
    // counted in lost_ when somebody overwrites it.
    const bool is_whole = state != 0 && state % 2 == 0;
    if (is_whole && (state - 2) / 2 + kRecords < end) ++lost;
  }
  return lost + lost_.load(std::memory_order_relaxed);
}

template class BasicFailureRing<FailureRecord, 128>;

}  // namespace hakmem
