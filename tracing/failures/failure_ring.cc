#include "tracing/failures/failure_ring.h"

#include <atomic>
#include <bit>
#include <cstring>

#include "base/sync/local_atomic.h"

namespace hakmem {
namespace {

template <typename Record>
struct WordsOf {
  uint64_t words[sizeof(Record) / sizeof(uint64_t)];
};

}  // namespace

template <typename Record, size_t kSlots>
inline bool BasicFailureRing<Record, kSlots>::Claim(uint64_t ticket,
                                                    bool alone) {
  std::atomic<uint64_t>& state = slots_[ticket % kRecords].state;
  uint64_t before = state.load(std::memory_order_relaxed);
  // Odd: somebody writes. Larger: we were overtaken by a whole round.
  if (before % 2 != 0 || before > Writing(ticket)) return false;
  if (alone) {
    // A handler that adds a whole round here, between the load and the store,
    // leaves a newer record, which this one replaces: it counts as lost.
    state.store(Writing(ticket), std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return true;
  }
  // acquire: pairs with the release of the last writer's even state, so that
  // our words come after its.
  return state.compare_exchange_strong(before, Writing(ticket),
                                       std::memory_order_acquire,
                                       std::memory_order_relaxed);
}

template <typename Record, size_t kSlots>
inline void BasicFailureRing<Record, kSlots>::WriteWords(const Record& record,
                                                         Slot* slot) {
  const auto* bytes = reinterpret_cast<const char*>(&record);
  for (size_t i = 0; i < kWords; ++i) {
    uint64_t word;
    memcpy(&word, bytes + i * sizeof(word), sizeof(word));
    // release: pairs with the acquire of the words in Read; who sees one of
    // these words sees the odd state too.
    slot->words[i].store(word, std::memory_order_release);
  }
}

template <typename Record, size_t kSlots>
void BasicFailureRing<Record, kSlots>::Add(Record* record, bool alone) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    // relaxed: a ticket orders nothing, the slot's state does.
    const uint64_t ticket = alone
                                ? FetchAddAlone(next_, 1)
                                : next_.fetch_add(1, std::memory_order_relaxed);
    record->sequence = ticket + 1;
    if (!Claim(ticket, alone)) {
      // relaxed, as below: a count.
      skipped_.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    Slot& slot = slots_[ticket % kRecords];
    WriteWords(*record, &slot);
    // release: pairs with the acquire of the state in Read; who sees it sees
    // all words.
    slot.state.store(Written(ticket), std::memory_order_release);
    return;
  }
  dropped_.fetch_add(1, std::memory_order_relaxed);
}

template <typename Record, size_t kSlots>
void BasicFailureRing<Record, kSlots>::Amend(const Record& record) {
  const uint64_t ticket = record.sequence - 1;
  Slot& slot = slots_[ticket % kRecords];
  uint64_t expected = Written(ticket);
  // acquire: as in Claim.
  if (!slot.state.compare_exchange_strong(expected, Amending(ticket),
                                          std::memory_order_acquire,
                                          std::memory_order_relaxed)) {
    return;
  }
  WriteWords(record, &slot);
  // release: as in Add. Another state than before, so that a reader who copied
  // words meanwhile drops the copy.
  slot.state.store(Amended(ticket), std::memory_order_release);
}

template <typename Record, size_t kSlots>
bool BasicFailureRing<Record, kSlots>::Read(uint64_t ticket,
                                            Record* record) const {
  const Slot& slot = slots_[ticket % kRecords];
  // acquire: pairs with the release of the state in Add and Amend.
  const uint64_t before = slot.state.load(std::memory_order_acquire);
  // Amid being amended it is whole a moment later, but nobody waits.
  if (!IsWhole(before, ticket)) return false;
  WordsOf<Record> copy;
  for (size_t i = 0; i < kWords; ++i) {
    // acquire: pairs with the release of the words in WriteWords. Also keeps
    // the load of the state below after them.
    copy.words[i] = slot.words[i].load(std::memory_order_acquire);
  }
  if (slot.state.load(std::memory_order_relaxed) != before) return false;
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
uint64_t BasicFailureRing<Record, kSlots>::added() const {
  // relaxed: counts, which order nothing.
  return next_.load(std::memory_order_relaxed) -
         skipped_.load(std::memory_order_relaxed) +
         dropped_.load(std::memory_order_relaxed);
}

template <typename Record, size_t kSlots>
uint64_t BasicFailureRing<Record, kSlots>::lost() const {
  const uint64_t end = next_.load(std::memory_order_relaxed);
  uint64_t kept = 0;
  for (uint64_t t = end < kRecords ? 0 : end - kRecords; t < end; ++t) {
    const uint64_t state =
        slots_[t % kRecords].state.load(std::memory_order_relaxed);
    if (IsWhole(state, t) || state == Amending(t)) ++kept;
  }
  const uint64_t all = added();
  return all > kept ? all - kept : 0;
}

template class BasicFailureRing<FailureRecord, 128>;

}  // namespace hakmem
