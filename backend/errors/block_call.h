// BlockCall: the function that the program called with a block, for error
// messages.
//
// A bad address is detected deep inside, by code that serves every function. So
// the slow path records the function and the address for the duration of the
// call, and the code that aborts looks the function up by the address. A bad
// free may be detected only later, when the block leaves its bin. Then no call
// is recorded for the address, and the message says "free". Nothing here runs
// on the hot path.
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
  // From here on, calls that need not free the block.
  kRealloc,
  kReallocarray,
  kUsableSize,
};

// For example "operator delete[]".
const char* NameOf(BlockCall call);

constexpr bool FreesBlock(BlockCall call) { return call < BlockCall::kRealloc; }

// While it exists, this thread is in `call` with the block at `address`.
class BlockCallScope {
 public:
  BlockCallScope(BlockCall call, uintptr_t address) : outer_(current_) {
    Note(call, address);
  }
  // Scopes nest, e.g. when a signal handler frees during another call.
  ~BlockCallScope() { current_ = outer_; }
  BlockCallScope(const BlockCallScope&) = delete;
  BlockCallScope& operator=(const BlockCallScope&) = delete;

  // For a call that is about to abort.
  static void Note(BlockCall call, uintptr_t address) {
    current_ = {address, call};
  }
  // The same, unless the thread is in another call with that address.
  static void SetIfUnset(BlockCall call, uintptr_t address) {
    if (current_.address != address) Note(call, address);
  }

  // The call with `address` that this thread is in; kFree if there is none.
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
