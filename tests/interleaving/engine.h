// The engine: the search of the interleaver, and the steps of its threads.
// Internal to interleaver.cc, whose functions call it.
#ifndef HAKMEM_TESTS_INTERLEAVING_ENGINE_H_
#define HAKMEM_TESTS_INTERLEAVING_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/interleaving/fiber.h"
#include "tests/interleaving/interleaver.h"
#include "tests/interleaving/memory_model.h"
#include "tests/interleaving/step.h"

namespace interleaver {

// For failures: an order's name, and a file without its folders.
const char* OrderName(std::memory_order order);
const char* BaseName(const char* file);

class Engine {
 public:
  explicit Engine(const Options& options)
      : options_(options), memory_([this](size_t n) { return Choose(n); }) {}

  Result Explore(const std::function<Threads()>& make,
                 const std::function<void()>& check);

  bool InThread() const { return running_ >= 0; }
  void Fail(const std::string& what);
  void FailThread(const std::string& what);
  void Name(const void* address, const char* name) { names_[address] = name; }
  bool IsQuiet(internal::Place place) const;

  uint64_t Load(const void* address, uint64_t initial, std::memory_order order,
                internal::Place place);
  uint64_t Store(const void* address, uint64_t initial, uint64_t value,
                 std::memory_order order, internal::Place place);
  uint64_t Update(const void* address, uint64_t initial, const char* operation,
                  std::memory_order order, std::memory_order otherwise,
                  const MemoryModel::Next& next, uint64_t* read,
                  internal::Place place);
  void Fence(std::memory_order order, internal::Place place);
  void Plain(const void* address, bool writes);
  void Lock(const void* mutex);
  bool TryLock(const void* mutex);
  void Unlock(const void* mutex);
  void Wait(const void* word, uint32_t while_value);
  void Wake(const void* word, int count);
  void Touch(const void* shared);

  static Engine* current;

 private:
  // A point with more than one way to continue.
  struct Choice {
    size_t taken = 0;
    size_t count = 0;
    // For a choice of the next thread: the candidates, and those that need not
    // run because another run began with them.
    std::vector<int> threads;
    uint32_t asleep = 0;
  };
  struct Thread {
    Fiber fiber;
    std::function<void()> body;
    Step next;
    bool is_done = false;
    const void* sleeps_on = nullptr;
  };
  struct LockState {
    int holder = -1;
    View view;
  };

  static void Enter(void* thread);
  void RunOnce(Threads bodies, const std::function<void()>& check);
  bool PickThread();
  bool IsEnabled(const Thread& thread) const;
  size_t Choose(size_t n);
  // Stops the running thread before its step; returns when it may proceed.
  void Before(Step step);
  void After(uint64_t value) {
    trace_.back().second.value = value;
    memory_.EndStep(running_);
  }
  std::memory_order OrderAt(internal::Place place, const char* operation,
                            int part, std::memory_order order);
  std::string Trace() const;

  Options options_;
  MemoryModel memory_;
  std::vector<std::unique_ptr<Thread>> threads_;
  size_t count_ = 0;  // threads of this run
  int running_ = -1;  // -1: none
  int last_ = -1;     // the last to run
  int preemptions_ = 0;
  uint32_t asleep_ = 0;
  bool failed_ = false;
  bool cut_short_ = false;
  std::vector<Choice> path_;
  size_t depth_ = 0;
  std::map<const void*, LockState> locks_;
  std::map<const void*, std::string> names_;
  std::vector<std::pair<int, Step>> trace_;
  Result result_;
};

}  // namespace interleaver

#endif  // HAKMEM_TESTS_INTERLEAVING_ENGINE_H_
