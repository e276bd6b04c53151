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
// A writer takes a ticket t, and with it slot t mod kRecords. When that slot is
// still being written (its writer was overtaken by a whole round, or was
// interrupted by us, or stayed behind in the parent process), the writer takes
// the next ticket instead of waiting. The record in that slot is then older
// than kRecords tickets and is not shown, although nothing has taken its place;
// it is counted as lost all the same. A reader copies a slot and takes the copy
// when the state was the same even value before and after.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_RING_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tracing/failures/failure_record.h"

namespace hakmem {

// Of any record and size for the test that runs it under every interleaving
// (failure_ring_model_test): whole words, of which one is `sequence`.
template <typename Record, size_t kSlots>
class BasicFailureRing {
 public:
  static constexpr size_t kRecords = kSlots;

  constexpr BasicFailureRing() = default;

  // Keeps `record`, whose sequence it sets, in place of the oldest one.
  // `alone`: only signal handlers of this thread may add or amend meanwhile,
  // which saves an atomic read-modify-write.
  void Add(Record* record, bool alone = false);

  // Puts `record`, which was read here, in the place of the one with its
  // sequence, once in that one's life. Does nothing when another thread has
  // done so, or newer records have taken its place.
  void Amend(const Record& record);

  // Copies the newest record; false when there is none.
  bool Last(Record* record) const;

  // Calls visit(record) for the records that are kept, oldest first, those
  // added meanwhile not included. Returns how many.
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

  // Records that made room for newer ones, found no room, or are too old to be
  // visited: what was added and is not visited, exactly so while nobody adds.
  uint64_t lost() const;

 private:
  static constexpr size_t kWords = sizeof(Record) / sizeof(uint64_t);
  // Slots in use at once, by threads and the handlers that interrupt them,
  // before a record is given up.
  static constexpr int kAttempts = 16;

  struct Slot {
    std::atomic<uint64_t> state{0};
    std::atomic<uint64_t> words[kWords] = {};
  };

  // The states of a slot; all but kEmpty are of a ticket, and odd ones of a
  // writer.
  static constexpr uint64_t kEmpty = 0;
  static constexpr uint64_t Writing(uint64_t ticket) { return 4 * ticket + 1; }
  static constexpr uint64_t Written(uint64_t ticket) { return 4 * ticket + 2; }
  static constexpr uint64_t Amending(uint64_t ticket) { return 4 * ticket + 3; }
  static constexpr uint64_t Amended(uint64_t ticket) { return 4 * ticket + 4; }
  static constexpr bool IsWhole(uint64_t state, uint64_t ticket) {
    return state == Written(ticket) || state == Amended(ticket);
  }

  bool Claim(uint64_t ticket, bool alone);
  // Writes the words of a slot whose state is odd by this thread's doing.
  static void WriteWords(const Record& record, Slot* slot);
  // Copies the record with `ticket`; false when it is not there (any more).
  bool Read(uint64_t ticket, Record* record) const;

  std::atomic<uint64_t> next_{0};  // ticket
  // Tickets whose slot was another's: each is one that holds no record.
  std::atomic<uint64_t> skipped_{0};
  std::atomic<uint64_t> dropped_{0};  // records that found no slot
  Slot slots_[kRecords];
};

using FailureRing = BasicFailureRing<FailureRecord, 128>;

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_RING_H_
