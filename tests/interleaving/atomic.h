// Objects shared by threads under the interleaver: replacements for std::atomic
// and its fences, for plain variables and for locks. Outside a run's threads
// they behave as in a single-threaded program.
#ifndef HAKMEM_TESTS_INTERLEAVING_ATOMIC_H_
#define HAKMEM_TESTS_INTERLEAVING_ATOMIC_H_

#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tests/interleaving/interleaver.h"

namespace interleaver {

namespace internal {

template <typename T>
uint64_t ToWord(T value) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  uint64_t word = 0;
  memcpy(&word, &value, sizeof(T));
  return word;
}

template <typename T>
T FromWord(uint64_t word) {
  T value;
  memcpy(&value, &word, sizeof(T));
  return value;
}

constexpr std::memory_order WithoutRelease(std::memory_order order) {
  if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
  if (order == std::memory_order_release) return std::memory_order_relaxed;
  return order;
}

// The operations on the atomic object at `at`, which stores the last value.
template <typename T>
struct Operations {
  static T Load(const T* at, std::memory_order order, Place place) {
    if (!InThread()) return *at;
    return FromWord<T>(internal::Load(at, ToWord(*at), order, place));
  }
  static void Store(T* at, T value, std::memory_order order, Place place) {
    if (!InThread()) {
      *at = value;
    } else {
      *at = FromWord<T>(
          internal::Store(at, ToWord(*at), ToWord(value), order, place));
    }
  }
  template <typename Function>
  static T Change(T* at, const char* name, std::memory_order order, Place place,
                  const Function& change) {
    if (!InThread()) {
      const T before = *at;
      *at = change(before);
      return before;
    }
    uint64_t read;
    const uint64_t last = internal::Update(
        at, ToWord(*at), name, order, order,
        [&](uint64_t before, uint64_t* after) {
          *after = ToWord(static_cast<T>(change(FromWord<T>(before))));
          return true;
        },
        &read, place);
    *at = FromWord<T>(last);
    return FromWord<T>(read);
  }
  static bool CompareExchange(T* at, T& expected, T desired,
                              std::memory_order order,
                              std::memory_order otherwise, Place place) {
    uint64_t read;
    if (!InThread()) {
      read = ToWord(*at);
      if (read == ToWord(expected)) {
        *at = desired;
        return true;
      }
    } else {
      const uint64_t last = internal::Update(
          at, ToWord(*at), "compare_exchange", order, otherwise,
          [&](uint64_t before, uint64_t* after) {
            *after = ToWord(desired);
            return before == ToWord(expected);
          },
          &read, place);
      *at = FromWord<T>(last);
      if (read == ToWord(expected)) return true;
    }
    expected = FromWord<T>(read);
    return false;
  }
};

// Base of both kinds of atomics; Self::At() is the address of the value.
template <typename Self, typename T>
class AtomicBase {
 public:
  using Order = std::memory_order;
  static constexpr Order kSeqCst = std::memory_order_seq_cst;

  T load(Order order = kSeqCst, const char* file = __builtin_FILE(),
         int line = __builtin_LINE()) const {
    return Operations<T>::Load(At(), order, {file, line});
  }
  void store(T value, Order order = kSeqCst,
             const char* file = __builtin_FILE(),
             int line = __builtin_LINE()) const {
    Operations<T>::Store(At(), value, order, {file, line});
  }
  T exchange(T value, Order order = kSeqCst,
             const char* file = __builtin_FILE(),
             int line = __builtin_LINE()) const {
    return Operations<T>::Change(At(), "exchange", order, {file, line},
                                 [&](T) { return value; });
  }
  T fetch_add(T value, Order order = kSeqCst,
              const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) const {
    return Operations<T>::Change(At(), "fetch_add", order, {file, line},
                                 [&](T before) { return before + value; });
  }
  T fetch_sub(T value, Order order = kSeqCst,
              const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) const {
    return Operations<T>::Change(At(), "fetch_sub", order, {file, line},
                                 [&](T before) { return before - value; });
  }
  T fetch_or(T value, Order order = kSeqCst,
             const char* file = __builtin_FILE(),
             int line = __builtin_LINE()) const {
    return Operations<T>::Change(At(), "fetch_or", order, {file, line},
                                 [&](T before) { return before | value; });
  }
  bool compare_exchange_strong(T& expected, T desired, Order order,
                               Order otherwise,
                               const char* file = __builtin_FILE(),
                               int line = __builtin_LINE()) const {
    return Operations<T>::CompareExchange(At(), expected, desired, order,
                                          otherwise, {file, line});
  }
  bool compare_exchange_strong(T& expected, T desired, Order order = kSeqCst,
                               const char* file = __builtin_FILE(),
                               int line = __builtin_LINE()) const {
    return Operations<T>::CompareExchange(At(), expected, desired, order,
                                          WithoutRelease(order), {file, line});
  }
  bool compare_exchange_weak(T& expected, T desired, Order order,
                             Order otherwise,
                             const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) const {
    return compare_exchange_strong(expected, desired, order, otherwise, file,
                                   line);
  }
  bool compare_exchange_weak(T& expected, T desired, Order order = kSeqCst,
                             const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) const {
    return compare_exchange_strong(expected, desired, order, file, line);
  }

 private:
  T* At() const { return static_cast<const Self*>(this)->Address(); }
};

}  // namespace internal

template <typename T>
class Atomic : public internal::AtomicBase<Atomic<T>, T> {
 public:
  constexpr Atomic() = default;
  constexpr Atomic(T value) : value_(value) {}  // NOLINT: as std::atomic's
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

 private:
  friend class internal::AtomicBase<Atomic<T>, T>;
  T* Address() const { return &value_; }
  mutable T value_{};
};

template <typename T>
class AtomicRef : public internal::AtomicBase<AtomicRef<T>, T> {
 public:
  explicit AtomicRef(T& object) : object_(&object) {}

 private:
  friend class internal::AtomicBase<AtomicRef<T>, T>;
  T* Address() const { return object_; }
  T* const object_;
};

inline void ThreadFence(std::memory_order order,
                        const char* file = __builtin_FILE(),
                        int line = __builtin_LINE()) {
  internal::Fence(order, {file, line});
}

// A non-atomic variable: accesses are no steps, but two of which one is a write
// must be ordered.
template <typename T>
class Plain {
 public:
  Plain() = default;
  Plain(T value) : value_(value) {}  // NOLINT: stands for a T
  Plain& operator=(T value) {
    internal::Plain(this, /*writes=*/true);
    value_ = value;
    return *this;
  }
  Plain& operator=(const Plain& other) { return *this = T{other}; }
  Plain(const Plain& other) : value_(T{other}) {}
  operator T() const {  // NOLINT: stands for a T
    internal::Plain(this, /*writes=*/false);
    return value_;
  }
  T operator->() const { return T{*this}; }

 private:
  T value_{};
};

// A lock; waiting is one step, and waiting forever is reported. Identified by
// its address.
class Lock {
 public:
  void Take() { internal::Lock(this); }
  bool TryTake() { return internal::TryLock(this); }
  void Release() { internal::Unlock(this); }
};

}  // namespace interleaver

#endif  // HAKMEM_TESTS_INTERLEAVING_ATOMIC_H_
