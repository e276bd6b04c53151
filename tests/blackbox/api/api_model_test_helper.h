// A model of the allocator's contract, checked after each step.
//
//   ApiModel model(functions);   // of the allocator
//   const std::string problem = model.Run(bytes, count);   // "": none
//
// The model knows each live block: its address, requested size and contents.
// Operations are drawn from bytes (api_operations_test_helper.h) and performed
// on threads that take turns, so the same bytes always give the same calls;
// most blocks are freed by another thread than their own.
//
// Reaches the allocator only through ApiFunctions, and does not need gtest: for
// programs that it is preloaded into (api_model_test), and for a fuzzer that
// has it beside the process's malloc (tests/state_fuzz/api_model.cc).
#ifndef HAKMEM_TESTS_BLACKBOX_API_API_MODEL_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_API_API_MODEL_TEST_HELPER_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/blackbox/api/api_operations_test_helper.h"

namespace hakmem_test {

// A thread that runs actions on request and otherwise waits.
class TurnTaker {
 public:
  TurnTaker();
  ~TurnTaker();  // ends the thread
  TurnTaker(const TurnTaker&) = delete;
  TurnTaker& operator=(const TurnTaker&) = delete;

  // Returns when the thread has run `action`.
  void Do(const std::function<void()>& action);

 private:
  void Live();

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* action_ = nullptr;
  bool ends_ = false;
  std::thread thread_;  // last: starts after all else is initialised
};

// The API. All functions must be set.
struct ApiFunctions {
  void* (*malloc)(size_t size) noexcept;
  void* (*calloc)(size_t count, size_t size) noexcept;
  void* (*realloc)(void* block, size_t size) noexcept;
  void* (*reallocarray)(void* block, size_t count, size_t size) noexcept;
  void* (*memalign)(size_t alignment, size_t size) noexcept;
  void* (*aligned_alloc)(size_t alignment, size_t size) noexcept;
  int (*posix_memalign)(void** block, size_t alignment, size_t size) noexcept;
  void* (*valloc)(size_t size) noexcept;
  void* (*pvalloc)(size_t size) noexcept;
  size_t (*usable_size)(void* block) noexcept;
  int (*trim)(size_t pad) noexcept;
  void (*free)(void* block) noexcept;
  // operator new and delete, without exceptions. Alignment 0: the form without
  // an alignment.
  void* (*operator_new)(size_t size, size_t alignment) noexcept;
  void (*operator_delete)(void* block, size_t size, size_t alignment) noexcept;
  size_t (*collect)() noexcept;
  int (*check_heap)() noexcept;
  void (*free_sized)(void* block, size_t size) noexcept;
  void (*free_aligned_sized)(void* block, size_t alignment,
                             size_t size) noexcept;
};

class ApiModel {
 public:
  explicit ApiModel(const ApiFunctions& functions);
  ~ApiModel();

  // Performs the calls encoded in `bytes`, then frees all blocks. Returns the
  // first problem, in one line, or nothing.
  std::string Run(const uint8_t* bytes, size_t count);

 private:
  struct Block {
    char* address;
    size_t size;       // requested
    size_t written;    // bytes covered by the pattern
    size_t alignment;  // requested; 0: none
    uint64_t pattern;
    uint8_t thread;  // that allocated it
  };

  // Limit on live bytes: an operation that would exceed it frees a block
  // instead.
  static constexpr size_t kMostBytes = size_t{192} << 20;
  static constexpr size_t kMostBlocks = 2000;
  // Operations between two checks of the heap and of all contents.
  static constexpr size_t kCheckEvery = 16;
  static constexpr size_t kLookEvery = 1024;

  void Perform(const ApiOperation& operation);
  void Allocate(const ApiOperation& operation);
  void Resize(const ApiOperation& operation);
  void Release(const ApiOperation& operation);
  // The block picked by `operation`; blocks_.size() if there is none.
  size_t Pick(const ApiOperation& operation) const;

  // Adds a new block at `address`, and fills it.
  void Enter(void* address, const ApiOperation& operation, size_t size,
             size_t alignment);
  // Removes block `i`, and checks its contents.
  Block Leave(size_t i);
  void CheckContents(const Block& block, size_t bytes);
  void CheckHeap();
  void FreeAll();
  void Require(bool holds, const char* problem, const void* address);

  const ApiFunctions functions_;
  std::unique_ptr<TurnTaker> threads_[kApiThreads];
  std::vector<Block> blocks_;
  std::map<const char*, const char*> ends_;  // start to end of the usable bytes
  size_t bytes_ = 0;
  uint64_t next_pattern_ = 1;
  size_t step_ = 0;
  std::string problem_;
};

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_API_API_MODEL_TEST_HELPER_H_
