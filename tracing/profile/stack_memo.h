// StackMemo: remembers stacks that were unwound, since unwinding a stack takes
// some microseconds and programs sample the same ones again and again.
//
// A stack is known by its thread, the address of a frame near its top and the
// return address there; and it is still the same one if each return address
// lies where it lay then. For where the frame of a caller lies follows from the
// return address and the frame below it, so each slot that holds what it did
// says that the next one is a slot of this stack. (A function whose frame
// varies in size, by alloca, may be mistaken for itself. The thread is in the
// key because the top of its stack is then the same, so that no slot lies above
// it.) Checking costs a load per frame.
//
// Not thread-safe. Zeros are an empty memo.
#ifndef HAKMEM_TRACING_PROFILE_STACK_MEMO_H_
#define HAKMEM_TRACING_PROFILE_STACK_MEMO_H_

#include <cstddef>
#include <cstdint>

#include "tracing/stacks/stack_trace.h"

namespace hakmem {

class StackMemo {
 public:
  struct Key {
    uintptr_t thread;  // address of something of the thread's own
    uintptr_t frame;   // of the function that asks
    const void* caller;

    bool operator==(const Key&) const = default;
  };

  // The number that the stack with this key was remembered with, 0 if it is not
  // known. stack_of(number) returns its StackTrace. `key.frame` must be of a
  // function that has not returned.
  template <typename StackOf>
  uint32_t Find(const Key& key, StackOf&& stack_of) const {
    const Entry& entry = EntryOf(key);
    if (entry.number == 0 || entry.key != key) return 0;
    const StackTrace& stack = stack_of(entry.number);
    for (size_t i = 0; i < stack.count; ++i) {
      if (!HoldsReturnTo(entry.slots.at[i], stack.frames[i])) return 0;
    }
    return entry.number;
  }

  // Remembers a stack of `count` frames.
  void Keep(const Key& key, uint32_t number, const StackSlots& slots,
            size_t count) {
    Entry& entry = EntryOf(key);
    entry.key = key;
    entry.number = number;
    for (size_t i = 0; i < count; ++i) entry.slots.at[i] = slots.at[i];
  }

 private:
  static constexpr int kBits = 10;

  struct Entry {
    Key key;
    uint32_t number;
    StackSlots slots;
  };

  static size_t Slot(const Key& key) {
    const uint64_t mixed =
        (key.frame ^ (key.thread << 1)) +
        reinterpret_cast<uintptr_t>(key.caller) * 0xff51afd7ed558ccd;
    return (mixed * 0x9e3779b97f4a7c15) >> (64 - kBits);
  }
  const Entry& EntryOf(const Key& key) const { return entries_[Slot(key)]; }
  Entry& EntryOf(const Key& key) { return entries_[Slot(key)]; }

  Entry entries_[size_t{1} << kBits];
};

}  // namespace hakmem

#endif  // HAKMEM_TRACING_PROFILE_STACK_MEMO_H_
