// The memory that threads under the interleaver share: what each load may see.
//
//   location x   0 ──► 1 ──► 7        its values in modification order
//                ▲           ▲
//   thread A ────┘  thread B ┘        the newest each has seen, its view
//
// C11 as a machine (the views of "A promising semantics", Kang et al. 2017,
// without the promises). A store adds a message; a load picks any message that
// is not older than the thread's view of the location; release attaches the
// thread's view to the message, acquire takes it over; a sequentially
// consistent fence exchanges views with all others. A store may also take its
// place before messages that its thread has not seen.
//
// Not shown: load buffering (a load that sees what a later store of its own
// thread led to). Stronger than C11: an operation that is itself seq_cst acts
// as a seq_cst fence with the operation behind it. A weak compare-exchange
// does not fail for nothing.
//
// Plain variables are watched for data races, by vector clocks.
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
  kWeak,        // as above
};

// What a thread knows of the memory, or what a message lets others know.
struct View {
  std::array<int16_t, kMostLocations> seen{};  // message numbers
  std::array<uint32_t, kMostThreads> clock{};  // steps of each thread
};

class MemoryModel {
 public:
  // Picks one of `n` possibilities, 0 to n-1.
  using Chooser = std::function<size_t(size_t n)>;

  explicit MemoryModel(Chooser choose) : choose_(std::move(choose)) {}

  // An empty memory in which `threads` begin.
  void Reset(Memory kind, int threads);

  // The number of the location at `address`; one not used yet has `initial`.
  int LocationAt(const void* address, uint64_t initial);

  uint64_t Load(int thread, int location, std::memory_order order);
  void Store(int thread, int location, uint64_t value, std::memory_order order);

  // A read-modify-write: reads a value, and if next(value, &value) is true
  // writes the new one right behind it; else it was a load with `otherwise`.
  // Returns what it read.
  using Next = std::function<bool(uint64_t before, uint64_t* after)>;
  uint64_t Update(int thread, int location, std::memory_order order,
                  std::memory_order otherwise, const Next& next);

  void Fence(int thread, std::memory_order order);

  // The last value of a location in modification order.
  uint64_t Last(int location) const;

  // Ends a step: what the thread does from now on comes after it.
  void EndStep(int thread) { ++threads_[thread].now.clock[thread]; }

  // What happened before here, for locks: handed over whole.
  const View& ViewOf(int thread) const { return threads_[thread].now; }
  void Acquire(int thread, const View& view);

  // An access to a plain variable; false when it races with another.
  bool ReadPlain(int thread, const void* variable);
  bool WritePlain(int thread, const void* variable);

 private:
  struct Message {
    uint64_t value;
    int position;         // in modification order
    bool is_read_by_rmw;  // so that nothing comes between
    View view;            // what an acquire of it knows
  };
  struct Location {
    std::vector<Message> messages;
    std::vector<int> order;
  };
  struct Thread {
    View now;       // what its loads respect and its releases tell
    View acquired;  // what an acquire fence would add
    View released;  // what the last release fence told
  };
  struct Plain {
    int writer = -1;
    uint32_t written = 0;                       // by the writer's clock
    std::array<uint32_t, kMostThreads> read{};  // by each thread's clock
  };

  void Join(View& into, const View& from) const;
  void JoinSeen(View& into, const View& from) const;
  // Message numbers that `thread` may read, newest first.
  void Readable(int thread, int location, std::vector<int>* out) const;
  uint64_t Read(int thread, int location, int message, std::memory_order order);
  // Adds a message right behind `before`.
  void Write(int thread, int location, uint64_t value, int before,
             std::memory_order order, const View* read_from);

  Chooser choose_;
  Memory kind_ = Memory::kWeak;
  std::unordered_map<const void*, int> numbers_;
  std::vector<Location> locations_;
  std::array<Thread, kMostThreads> threads_;
  View sequential_;  // of all seq_cst fences so far
  std::unordered_map<const void*, Plain> plain_;
  std::vector<int> candidates_;
};

}  // namespace interleaver

#endif  // HAKMEM_TESTS_INTERLEAVING_MEMORY_MODEL_H_
