// What every worker program does alike: reading its flags, ending with one line
// on stderr, and printing its result as one line of JSON. Needs libc only.
#ifndef HAKMEM_BENCHMARKS_WORKER_WORKER_H_
#define HAKMEM_BENCHMARKS_WORKER_WORKER_H_

#include <stddef.h>
#include <stdint.h>

namespace hakmem::bench {

// Exit statuses of a worker beside 0.
inline constexpr int kAllocatorFailed = 1;
inline constexpr int kBadFlags = 2;
inline constexpr int kCannotRun = 3;  // on this machine, whatever the allocator

// Ends the process at once, whatever its other threads do, after printing the
// program's name and the message.
[[noreturn]] void Die(int status, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

// True if `argument` is `--name=value`; then stores the value, or dies when it
// is not a whole number of `low` to `high`.
bool ParseNumberFlag(const char* argument, const char* name, uint64_t low,
                     uint64_t high, uint64_t* value);

// What there is to know of the allocator besides its speed (allocator_probe.h),
// read at a moment of the workload's choice.
struct AllocatorFacts {
  const char* statistics = nullptr;  // null: none; static storage
  const char* version = nullptr;     // null: unknown
};
AllocatorFacts ReadAllocatorFacts();

// A moment of a series of figures.
struct Point {
  uint64_t x;
  uint64_t y;
};

// An object on stdout, on one line. Printing allocates (stdio's buffer), so
// read first what that could change.
class JsonLine {
 public:
  JsonLine();
  void Add(const char* key, uint64_t value);
  // Numbers below 0 say that there is none: null.
  void Add(const char* key, double value);
  // A null pointer is null.
  void AddText(const char* key, const char* text);
  // An array of arrays of two.
  void AddPoints(const char* key, const Point* points, size_t count);
  // The facts, what libc's own malloc holds, and where malloc comes from.
  void AddAllocator(const AllocatorFacts& facts);
  // Ends the line; dies when it could not be written.
  void Close();

 private:
  void Key(const char* key);
  bool first_ = true;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_WORKER_H_
