// The memory shared by threads under the interleaver: which values each load
// may return.
//
//   location x   0 ──► 1 ──► 7        its values in modification order
//                ▲           ▲
//   thread A ────┘  thread B ┘        the newest each has seen, its view
//
// An operational model of C11 (the views of "A promising semantics", Kang et
// al. 2017, without the promises). A store adds a message; a load picks any
// message not older than the thread's view of the location; release attaches
// the thread's view to the message, acquire merges it into the reader's; a
// sequentially consistent fence exchanges views with all others. A store may
// also be placed before messages that its thread has not seen.
//
// Not modelled: load buffering (a load that sees the effect of a later store of
// its own thread). Stronger than C11: a seq_cst operation acts as a seq_cst
// fence followed by the operation. A weak compare-exchange never fails
// spuriously.
//
// Data races on plain variables are detected by vector clocks.
#ifndef HAKMEM_TESTS_INTERLEAVING_MEMORY_MODEL_H_
#define HAKMEM_TESTS_INTERLEAVING_MEMORY_MODEL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

namespace interleaver {

inline constexpr int kMostThreads = 4;
inline constexpr int kMostLocations = 96;

enum class Memory {
  kSequential,  // a load sees the last store
  kWeak,        // all that C11 allows
};

// What a thread has seen of the memory, or what a message passes on.
struct View {
  std::array<int16_t, kMostLocations> seen{};  // message numbers
  std::array<uint32_t, kMostThreads> clock{};  // steps of each thread
};

class MemoryModel {
 public:
  // Picks one of `n` possibilities, 0 to n-1.
  using Chooser = std::function<size_t(size_t n)>;

  explicit MemoryModel(Chooser choose) : choose_(std::move(choose)) {}

  // Clears the memory for a run of `threads`.
  void Reset(Memory kind, int threads);

  // The number of the location at `address`; a new one has the value `initial`.
  int LocationAt(const void* address, uint64_t initial);

  uint64_t Load(int thread, int location, std::memory_order order);
  void Store(int thread, int location, uint64_t value, std::memory_order order);

  // A read-modify-write: reads a value; if next(value, &value) returns true,
  // writes the new one right after it; otherwise it was a load with order
  // `otherwise`. Returns the value read.
  using Next = std::function<bool(uint64_t before, uint64_t* after)>;
  uint64_t Update(int thread, int location, std::memory_order order,
                  std::memory_order otherwise, const Next& next);

  void Fence(int thread, std::memory_order order);

  // The last value of a location in modification order.
  uint64_t Last(int location) const;

  // Ends a step: the thread's later actions are ordered after it.
  void EndStep(int thread) { ++threads_[thread].now.clock[thread]; }

  // What happened before this point, for locks, which pass it on in full.
  const View& ViewOf(int thread) const { return threads_[thread].now; }
  void Acquire(int thread, const View& view);

  // Accesses to a plain variable; false if it races with another access.
  bool ReadPlain(int thread, const void* variable);
  bool WritePlain(int thread, const void* variable);

 private:
  struct Message {
    uint64_t value;
    int position;         // in modification order
    bool is_read_by_rmw;  // nothing may come between
    View view;            // passed to an acquire that reads it
  };
  struct Location {
    std::vector<Message> messages;
    std::vector<int> order;
  };
  struct Thread {
    View now;       // limits its loads; passed on by its releases
    View acquired;  // what an acquire fence would add
    View released;  // what the last release fence passes on
  };
  struct Plain {
    int writer = -1;
    uint32_t written = 0;                       // the writer's clock
    std::array<uint32_t, kMostThreads> read{};  // each thread's clock
  };

  void Join(View& into, const View& from) const;
  void JoinSeen(View& into, const View& from) const;
  // Message numbers that `thread` may read, newest first.
  void Readable(int thread, int location, std::vector<int>* out) const;
  uint64_t Read(int thread, int location, int message, std::memory_order order);
  // Adds a message right after `before`.
  void Write(int thread, int location, uint64_t value, int before,
             std::memory_order order, const View* read_from);

  Chooser choose_;
  Memory kind_ = Memory::kWeak;
  std::unordered_map<const void*, int> numbers_;
  std::vector<Location> locations_;
  std::array<Thread, kMostThreads> threads_;
  View sequential_;  // merged over all seq_cst fences so far
  std::unordered_map<const void*, Plain> plain_;
  std::vector<int> candidates_;
};

}  // namespace interleaver

#endif  // HAKMEM_TESTS_INTERLEAVING_MEMORY_MODEL_H_
