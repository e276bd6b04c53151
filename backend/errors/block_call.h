// BlockCall: which function the program called with a block, for the line that
// says what is wrong with the call.
//
// A bad address is found deep inside, by code that serves every function. So
// the slow path notes the function and the address for the time of the call,
// and whoever aborts asks for the function by the address. An address that was
// freed earlier, and is found to be bad only now, is no call's: it counts as
// freed by free. Nothing here is done on the hot path.
#ifndef HAKMEM_BACKEND_ERRORS_BLOCK_CALL_H_
#define HAKMEM_BACKEND_ERRORS_BLOCK_CALL_H_

#include <cstdint>

namespace hakmem {

enum class BlockCall : uint8_t {
  kFree,
  kFreeSized,
  kFreeAlignedSized,
  kDelete,
  kDeleteArray,
  // From here on, calls that need not end the block.
  kRealloc,
  kReallocarray,
  kUsableSize,
};

// "operator delete[]"
const char* NameOf(BlockCall call);

constexpr bool EndsBlock(BlockCall call) { return call < BlockCall::kRealloc; }

// While one exists, this thread is in `call` with the block at `address`.
class BlockCallScope {
 public:
  BlockCallScope(BlockCall call, uintptr_t address) : outer_(current_) {
    Note(call, address);
  }
  // Of a signal handler, say, which frees in the middle of another call.
  ~BlockCallScope() { current_ = outer_; }
  BlockCallScope(const BlockCallScope&) = delete;
  BlockCallScope& operator=(const BlockCallScope&) = delete;

  // For a call that is about to abort.
  static void Note(BlockCall call, uintptr_t address) {
    current_ = {address, call};
  }
  // The same unless the thread is in another call with that address.
  static void NoteIfNone(BlockCall call, uintptr_t address) {
    if (current_.address != address) Note(call, address);
  }

  // The call with `address` that this thread is in; kFree when it is in none.
  static BlockCall Of(uintptr_t address) {
    return current_.address == address ? current_.call : BlockCall::kFree;
  }

 private:
  struct Current {
    uintptr_t address;
    BlockCall call;
  };

  static constinit thread_local Current current_;

  Current outer_;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_ERRORS_BLOCK_CALL_H_
