// api_model_test_helper.h: a model of what the allocator owes to its callers,
// and the proof after each step that it has kept it.
//
//   ApiModel model(functions);   // of the allocator
//   const std::string problem = model.Run(bytes, count);   // "": none
//
// The model knows each live block: where it is, what was asked for, what was
// written to it. Operations come from bytes (api_operations_test_helper.h) and
// are made on threads that take turns, so that the same bytes are always the
// same calls; a block is mostly freed by another thread than its own.
//
// The allocator is reached through ApiFunctions alone, and no gtest is needed:
// for programs that it is preloaded into (api_model_test), and for a fuzzer
// that has it beside the process's malloc (tests/state_fuzz/api_model.cc).
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

// A thread that does what it is told and waits meanwhile.
class TurnTaker {
 public:
  TurnTaker();
  ~TurnTaker();  // ends the thread
  TurnTaker(const TurnTaker&) = delete;
  TurnTaker& operator=(const TurnTaker&) = delete;

  // Returns when the thread has done `action`.
  void Do(const std::function<void()>& action);

 private:
  void Live();

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* action_ = nullptr;
  bool ends_ = false;
  std::thread thread_;  // last: begins when all else is there
};

// The interface. All must be there.
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
  // operator new and delete, without exceptions. An alignment of 0: the form
  // without one.
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

  // Makes the calls that `bytes` stand for, then frees all blocks. Returns what
  // went wrong first, in one line, or nothing.
  std::string Run(const uint8_t* bytes, size_t count);

 private:
  struct Block {
    char* address;
    size_t size;       // asked for
    size_t written;    // bytes that the pattern covers
    size_t alignment;  // asked for; 0: none in particular
    uint64_t pattern;
    uint8_t thread;  // that it was allocated on
  };

  // At most so many bytes live: what would be more frees a block instead.
  static constexpr size_t kMostBytes = size_t{192} << 20;
  static constexpr size_t kMostBlocks = 2000;
  // Operations between two checks of the heap, and of all contents.
  static constexpr size_t kCheckEvery = 16;
  static constexpr size_t kLookEvery = 1024;

  void Perform(const ApiOperation& operation);
  void Allocate(const ApiOperation& operation);
  void Resize(const ApiOperation& operation);
  void Release(const ApiOperation& operation);
  // The block that `operation` picks; blocks_.size() when there is none.
  size_t Pick(const ApiOperation& operation) const;

  // Takes a new block in, at `address`, and writes to it.
  void Enter(void* address, const ApiOperation& operation, size_t size,
             size_t alignment);
  // Forgets block `i`, and checks what is in it.
  Block Leave(size_t i);
  void CheckContents(const Block& block, size_t bytes);
  void CheckHeap();
  void FreeAll();
  void Require(bool holds, const char* problem, const void* address);

  const ApiFunctions functions_;
  std::unique_ptr<TurnTaker> threads_[kApiThreads];
  std::vector<Block> blocks_;
  std::map<const char*, const char*> ends_;  // by start: behind usable bytes
  size_t bytes_ = 0;
  uint64_t next_pattern_ = 1;
  size_t step_ = 0;
  std::string problem_;
};

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_API_API_MODEL_TEST_HELPER_H_
