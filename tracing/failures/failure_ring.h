// A ring of the last failure records.
//
// Fixed memory, no lock, and nobody ever waits: any number of threads may add
// and read at once, a signal handler may add while the same thread adds, and a
// child may be forked at any moment.
//
// Each slot is a sequence lock that writers enter by compare-and-swap:
//
//   state   0          empty
//           4t + 1     being written by the holder of ticket t
//           4t + 2     holds the record with ticket t
//           4t + 3     the same, being amended
//           4t + 4     holds the record with ticket t, amended
//
// A writer takes a ticket t, and with it slot t mod kRecords. If that slot is
// still being written (its writer was overtaken by a whole round, or was
// interrupted by this one, or stayed behind in the parent process), the writer
// takes the next ticket instead of waiting. The record in that slot is then
// more than kRecords tickets old and is not shown, although nothing has
// replaced it; it counts as lost all the same. A reader copies a slot and
// accepts the copy if the state was the same even value before and after.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_RING_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_RING_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/sync/local_atomic.h"
#include "hakmem/hakmem.h"

namespace hakmem {

// A template over record and size, for the test that runs it under every
// interleaving (failure_ring_model_test). A record is whole words, one of them
// `sequence`.
template <typename Record, size_t kSlots>
class BasicFailureRing {
 public:
  static constexpr size_t kRecords = kSlots;

  constexpr BasicFailureRing() = default;

  // Stores `record`, whose sequence it sets, in place of the oldest one.
  // `alone`: only signal handlers of this thread may add or amend meanwhile,
  // which saves an atomic read-modify-write.
  void Add(Record* record, bool alone = false);

  // The same for the result of make(sequence), the record or its words. It is
  // called after the slot was taken, so that the words go from registers into
  // the ring.
  template <typename Make>
  void AddMade(Make&& make, bool alone);

  // Replaces the record with the same sequence by `record`, which was read from
  // here; at most once in a record's life. Does nothing when another thread has
  // done so, or newer records have overwritten it.
  void Amend(const Record& record);

  // Copies the newest record; false when there is none.
  bool Last(Record* record) const;

  // Calls visit(record) for the records in the ring, oldest first, except those
  // added meanwhile. Returns how many.
  template <typename Visit>
  size_t ForEach(Visit&& visit) const {
    const uint64_t end = next_.load(std::memory_order_relaxed);
    size_t count = 0;
    Record record;
    for (uint64_t t = end < kRecords ? 0 : end - kRecords; t < end; ++t) {
      if (!Read(t, &record)) continue;
      visit(record);
      ++count;
    }
    return count;
  }

  // Records added so far.
  uint64_t added() const;

  // Records overwritten by newer ones, dropped for lack of a slot, or too old
  // to be visited: all that were added and are not visited; exact while nobody
  // adds.
  uint64_t lost() const;

 private:
  static constexpr size_t kWords = sizeof(Record) / sizeof(uint64_t);
  // Attempts to find a free slot, against other threads and the handlers that
  // interrupt them, before a record is dropped.
  static constexpr int kAttempts = 16;

  struct Words {
    uint64_t of[kWords];
  };

  struct Slot {
    std::atomic<uint64_t> state{0};
    std::atomic<uint64_t> words[kWords] = {};
  };

  // The states of a slot; all but kEmpty belong to a ticket, and odd ones to a
  // writer.
  static constexpr uint64_t kEmpty = 0;
  static constexpr uint64_t Writing(uint64_t ticket) { return 4 * ticket + 1; }
  static constexpr uint64_t Written(uint64_t ticket) { return 4 * ticket + 2; }
  static constexpr uint64_t Amending(uint64_t ticket) { return 4 * ticket + 3; }
  static constexpr uint64_t Amended(uint64_t ticket) { return 4 * ticket + 4; }
  static constexpr bool IsWhole(uint64_t state, uint64_t ticket) {
    return state == Written(ticket) || state == Amended(ticket);
  }

  // Takes a ticket and claims its slot; null when another writer has the slot.
  Slot* TakeSlot(bool alone, uint64_t* ticket);
  // After a failed TakeSlot: tries again, and finally drops the record.
  Slot* TakeAnotherSlot(bool alone, uint64_t* ticket);
  static bool Claim(Slot* slot, uint64_t ticket, bool alone);
  // Writes the words of a slot that this thread has put into an odd state. Word
  // by word, so that a record just made goes there from registers.
  template <typename Source, size_t... kIndex>
  static void WriteWords(const Source& record, Slot* slot,
                         std::index_sequence<kIndex...>);
  // Copies the record with `ticket`; false when it is not there (any more).
  bool Read(uint64_t ticket, Record* record) const;

  std::atomic<uint64_t> next_{0};  // ticket
  // Tickets whose slot had another writer: they hold no record.
  std::atomic<uint64_t> skipped_{0};
  std::atomic<uint64_t> dropped_{0};  // records that found no slot
  alignas(64) Slot slots_[kRecords];
};

template <typename Record, size_t kSlots>
inline bool BasicFailureRing<Record, kSlots>::Claim(Slot* slot, uint64_t ticket,
                                                    bool alone) {
  std::atomic<uint64_t>& state = slot->state;
  uint64_t before = state.load(std::memory_order_relaxed);
  // Odd: being written. Larger: this writer was overtaken by a whole round.
  if (before % 2 != 0 || before > Writing(ticket)) return false;
  if (alone) {
    // If a handler adds a whole round between the load and the store, this
    // record replaces a newer one, which counts as lost.
    state.store(Writing(ticket), std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return true;
  }
  // acquire: pairs with the release of the last writer's even state, so that
  // this writer's words come after its words.
  return state.compare_exchange_strong(before, Writing(ticket),
                                       std::memory_order_acquire,
                                       std::memory_order_relaxed);
}

template <typename Record, size_t kSlots>
template <typename Source, size_t... kIndex>
[[gnu::always_inline]] inline void BasicFailureRing<Record, kSlots>::WriteWords(
    const Source& record, Slot* slot, std::index_sequence<kIndex...>) {
  static_assert(sizeof(record) == sizeof(Record));
  const auto* bytes = reinterpret_cast<const char*>(&record);
  const auto write = [&](size_t index) {
    uint64_t word;
    memcpy(&word, bytes + index * sizeof(word), sizeof(word));
    // release: pairs with the acquire of the words in Read; a reader that sees
    // one of these words sees the odd state too.
    slot->words[index].store(word, std::memory_order_release);
  };
  (write(kIndex), ...);
}

template <typename Record, size_t kSlots>
[[gnu::always_inline]] inline typename BasicFailureRing<Record, kSlots>::Slot*
BasicFailureRing<Record, kSlots>::TakeSlot(bool alone, uint64_t* ticket) {
  // relaxed: the slot's state orders, not the ticket.
  *ticket = alone ? FetchAddSingleThreaded(next_, 1)
                  : next_.fetch_add(1, std::memory_order_relaxed);
  Slot* const slot = &slots_[*ticket % kRecords];
  if (Claim(slot, *ticket, alone)) [[likely]]
    return slot;
  // relaxed: a count.
  skipped_.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

template <typename Record, size_t kSlots>
[[gnu::cold, gnu::noinline]] typename BasicFailureRing<Record, kSlots>::Slot*
BasicFailureRing<Record, kSlots>::TakeAnotherSlot(bool alone,
                                                  uint64_t* ticket) {
  for (int attempt = 1; attempt < kAttempts; ++attempt) {
    if (Slot* const slot = TakeSlot(alone, ticket)) return slot;
  }
  // relaxed: a count.
  dropped_.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

template <typename Record, size_t kSlots>
template <typename Make>
[[gnu::always_inline]] inline void BasicFailureRing<Record, kSlots>::AddMade(
    Make&& make, bool alone) {
  uint64_t ticket;
  Slot* slot = TakeSlot(alone, &ticket);
  if (slot == nullptr) [[unlikely]] {
    slot = TakeAnotherSlot(alone, &ticket);
    if (slot == nullptr) return;
  }
  WriteWords(make(ticket + 1), slot, std::make_index_sequence<kWords>());
  // release: pairs with the acquire of the state in Read; a reader that sees it
  // sees all words.
  slot->state.store(Written(ticket), std::memory_order_release);
}

template <typename Record, size_t kSlots>
void BasicFailureRing<Record, kSlots>::Add(Record* record, bool alone) {
  AddMade(
      [record](uint64_t sequence) -> const Record& {
        record->sequence = sequence;
        return *record;
      },
      alone);
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
  WriteWords(record, &slot, std::make_index_sequence<kWords>());
  // release: as in Add. The state differs from the one before, so that a reader
  // that copied words meanwhile rejects the copy.
  slot.state.store(Amended(ticket), std::memory_order_release);
}

template <typename Record, size_t kSlots>
bool BasicFailureRing<Record, kSlots>::Read(uint64_t ticket,
                                            Record* record) const {
  const Slot& slot = slots_[ticket % kRecords];
  // acquire: pairs with the release of the state in Add and Amend.
  const uint64_t before = slot.state.load(std::memory_order_acquire);
  // A record being amended will be whole in a moment, but readers never wait.
  if (!IsWhole(before, ticket)) return false;
  Words copy;
  for (size_t i = 0; i < kWords; ++i) {
    // acquire: pairs with the release of the words in WriteWords. Also orders
    // the load of the state below after these loads.
    copy.of[i] = slot.words[i].load(std::memory_order_acquire);
  }
  if (slot.state.load(std::memory_order_relaxed) != before) return false;
  *record = std::bit_cast<Record>(copy);
  return true;
}

template <typename Record, size_t kSlots>
bool BasicFailureRing<Record, kSlots>::Last(Record* record) const {
  // Writers may overtake the search, but only a whole round makes it fail.
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

using FailureRing = BasicFailureRing<hakmem_failure_t, 128>;

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_RING_H_
