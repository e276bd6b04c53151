// Fibers: the threads of the interleaver, scheduled cooperatively. Started by
// makecontext, switched by setjmp, which makes no system call.
#ifndef HAKMEM_TESTS_INTERLEAVING_FIBER_H_
#define HAKMEM_TESTS_INTERLEAVING_FIBER_H_

#include <setjmp.h>
#include <ucontext.h>

#include <cstddef>
#include <memory>

namespace interleaver {

class Fiber {
 public:
  Fiber() : stack_(std::make_unique<char[]>(kStackBytes)) {}

  // Prepares the fiber to run entry(argument), which must not return.
  void Begin(void (*entry)(void* argument), void* argument);

  // Runs the fiber until it calls Leave. Call from outside fibers.
  void Enter();

  // Returns control to the caller of Enter. Call inside the fiber.
  void Leave();

 private:
  static constexpr size_t kStackBytes = 128 << 10;

  static void Start();

  std::unique_ptr<char[]> stack_;
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  bool is_begun_ = false;
  ucontext_t first_;
  ucontext_t unused_;
  jmp_buf inside_;
  jmp_buf outside_;
};

}  // namespace interleaver

#endif  // HAKMEM_TESTS_INTERLEAVING_FIBER_H_
