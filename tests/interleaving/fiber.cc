#include "tests/interleaving/fiber.h"

namespace interleaver {
namespace {

Fiber* beginning = nullptr;

}  // namespace

void Fiber::Start() {
  Fiber* self = beginning;
  self->entry_(self->argument_);
}

void Fiber::Begin(void (*entry)(void* argument), void* argument) {
  entry_ = entry;
  argument_ = argument;
  is_begun_ = false;
}

void Fiber::Enter() {
  if (_setjmp(outside_) != 0) return;
  if (is_begun_) _longjmp(inside_, 1);
  is_begun_ = true;
  getcontext(&first_);
  first_.uc_stack.ss_sp = stack_.get();
  first_.uc_stack.ss_size = kStackBytes;
  first_.uc_link = nullptr;
  makecontext(&first_, &Start, 0);
  beginning = this;
  swapcontext(&unused_, &first_);
}

void Fiber::Leave() {
  if (_setjmp(inside_) == 0) _longjmp(outside_, 1);
}

}  // namespace interleaver
