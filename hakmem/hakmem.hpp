// hakmem.hpp: hakmem.h for C++11 and later, as the standard library has it.
//
//   std::pmr::vector<int> numbers(hakmem::memory_resource());   // C++17
//   std::map<int, int, std::less<>, hakmem::allocator<…>> map;
//   {
//     hakmem::collect_at_end collect;
//     …                        // a phase whose memory is not needed afterwards
//   }
//
// Header only. As hakmem.h, it gives HAKMEM's blocks to programs that keep
// another malloc; where HAKMEM replaces malloc, std::allocator has them too.
// Everything may be used by any thread at any time. Without exceptions
// (-fno-exceptions) what would throw aborts.
#ifndef HAKMEM_HAKMEM_HPP_
#define HAKMEM_HAKMEM_HPP_

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hakmem/hakmem.h"

#if __cplusplus >= 201703L && __has_include(<memory_resource>)
#include <memory_resource>
#define HAKMEM_HAS_MEMORY_RESOURCE 1
#endif

namespace hakmem {

namespace internal {

// The alignment that every block has.
constexpr std::size_t kBlockAlignment = 16;

template <typename Exception>
[[noreturn]] void fail() {
#ifdef __cpp_exceptions
  throw Exception();
#else
  std::abort();
#endif
}

// Never null. `alignment` is a power of two.
inline void* allocate(std::size_t bytes, std::size_t alignment) {
  void* const block = alignment <= kBlockAlignment
                          ? hakmem_malloc(bytes)
                          : hakmem_memalign(alignment, bytes);
  if (block == nullptr) fail<std::bad_alloc>();
  return block;
}

// `bytes` is what was requested, or any number of bytes from there up to
// hakmem_malloc_usable_size.
inline void deallocate(void* block, std::size_t bytes,
                       std::size_t alignment) noexcept {
  if (alignment <= kBlockAlignment) {
    hakmem_free_sized(block, bytes);
  } else {
    hakmem_free_aligned_sized(block, alignment, bytes);
  }
}

// The text that a function with the interface of snprintf writes.
template <typename Write>
std::string text_of(Write&& write) {
  std::string text;
  std::size_t length = write(nullptr, 0);
  do {
    // It may grow meanwhile: by digits, or by a class or a thread.
    text.resize(length + 64);
    length = write(&text[0], text.size());
  } while (length >= text.size());
  text.resize(length);
  return text;
}

}  // namespace internal

// What allocator::allocate_at_least returns: `count` objects have room at
// `ptr`.
#ifdef __cpp_lib_allocate_at_least
using std::allocation_result;
#else
template <typename Pointer, typename Size = std::size_t>
struct allocation_result {
  Pointer ptr;
  Size count;
};
#endif

// An allocator for the standard library's containers. All are equal.
template <typename T>
class allocator {
 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using is_always_equal = std::true_type;
  using propagate_on_container_move_assignment = std::true_type;

  allocator() noexcept = default;
  template <typename U>
  // NOLINTNEXTLINE(google-explicit-constructor): as the standard requires.
  allocator(const allocator<U>&) noexcept {}

  // Room for `count` objects. Throws std::bad_array_new_length when no object
  // of that size can be, std::bad_alloc when there is no memory.
  T* allocate(size_type count) {
    return static_cast<T*>(internal::allocate(bytes(count), alignof(T)));
  }

  // The same with all the room that the block has: at least `count` objects.
  allocation_result<T*, size_type> allocate_at_least(size_type count) {
    T* const objects = allocate(count);
    const size_type usable = hakmem_malloc_usable_size(objects) / sizeof(T);
    return {objects, usable > count ? usable : count};
  }

  // `count` is what was asked for, or any number up to what allocate_at_least
  // returned.
  void deallocate(T* objects, size_type count) noexcept {
    internal::deallocate(objects, count * sizeof(T), alignof(T));
  }

 private:
  static size_type bytes(size_type count) {
    if (count > std::numeric_limits<difference_type>::max() / sizeof(T)) {
      internal::fail<std::bad_array_new_length>();
    }
    return count * sizeof(T);
  }
};

template <typename T, typename U>
bool operator==(const allocator<T>&, const allocator<U>&) noexcept {
  return true;
}
template <typename T, typename U>
bool operator!=(const allocator<T>&, const allocator<U>&) noexcept {
  return false;
}

#ifdef HAKMEM_HAS_MEMORY_RESOURCE

namespace internal {

class memory_resource final : public std::pmr::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    return allocate_bytes(bytes, alignment);
  }
  void do_deallocate(void* block, std::size_t bytes,
                     std::size_t alignment) override {
    internal::deallocate(block, bytes, alignment);
  }
  bool do_is_equal(
      const std::pmr::memory_resource& other) const noexcept override {
#ifdef __cpp_rtti
    // Another library may have one of its own.
    return dynamic_cast<const memory_resource*>(&other) != nullptr;
#else
    return this == &other;
#endif
  }
  static void* allocate_bytes(std::size_t bytes, std::size_t alignment) {
    return internal::allocate(bytes, alignment);
  }
};

}  // namespace internal

// The one memory resource, never null, valid until the process has ended.
inline std::pmr::memory_resource* memory_resource() noexcept {
  // Not destroyed: other destructors may still use it.
  alignas(internal::memory_resource) static unsigned char
      storage[sizeof(internal::memory_resource)];
  static std::pmr::memory_resource* const resource =
      ::new (static_cast<void*>(storage)) internal::memory_resource;
  return resource;
}

#endif  // HAKMEM_HAS_MEMORY_RESOURCE

// The statistics now.
inline hakmem_stats_t stats() noexcept {
  hakmem_stats_t stats = {};
  hakmem_stats(&stats, sizeof(stats));
  return stats;
}

// Those of each size class that has blocks.
inline std::vector<hakmem_class_stats_t> class_stats() {
  // The vector itself may be the first block of its class.
  std::vector<hakmem_class_stats_t> classes(hakmem_class_stats(nullptr, 0, 0) +
                                            1);
  const std::size_t count =
      hakmem_class_stats(classes.data(), classes.size(), sizeof(classes[0]));
  classes.resize(count < classes.size() ? count : classes.size());
  return classes;
}

// All statistics as JSON, and for Prometheus.
inline std::string stats_json() {
  return internal::text_of([](char* buffer, std::size_t capacity) {
    return hakmem_stats_json(buffer, capacity);
  });
}
inline std::string stats_prometheus() {
  return internal::text_of([](char* buffer, std::size_t capacity) {
    return hakmem_stats_prometheus(buffer, capacity);
  });
}

// A failure as a sentence.
inline std::string failure_text(const hakmem_failure_t& failure) {
  return internal::text_of([&](char* buffer, std::size_t capacity) {
    return hakmem_failure_text(&failure, buffer, capacity);
  });
}

// The option called `name`, such as "decay". Null when there is none: then
// `name` of the result is.
inline hakmem_option_t option(const char* name) noexcept {
  hakmem_option_t found = {};
  for (std::size_t index = 0; hakmem_option(index, &found) != 0; ++index) {
    if (std::strcmp(found.name, name) == 0) return found;
  }
  return hakmem_option_t();
}

// Returns cached memory to the operating system when it is destroyed, such as
// at the end of a phase that allocated much.
class collect_at_end {
 public:
  collect_at_end() noexcept = default;
  collect_at_end(const collect_at_end&) = delete;
  collect_at_end& operator=(const collect_at_end&) = delete;
  ~collect_at_end() { hakmem_collect(); }
};

// Calls callback(failure) for each allocation of the process that fails, as
// hakmem_set_failure_callback, until it is destroyed. A process has one
// callback: that of the object made last, and none once any was destroyed.
template <typename Callback>
class failure_callback {
 public:
  explicit failure_callback(Callback callback)
      : callback_(std::move(callback)) {
    hakmem_set_failure_callback(&failure_callback::call, this);
  }
  failure_callback(const failure_callback&) = delete;
  failure_callback& operator=(const failure_callback&) = delete;
  ~failure_callback() { hakmem_set_failure_callback(nullptr, nullptr); }

 private:
  static void call(const hakmem_failure_t* failure, void* self) {
    static_cast<failure_callback*>(self)->callback_(*failure);
  }

  Callback callback_;
};

// Records what the process allocates and frees while it exists, as
// hakmem_events_start; what was recorded stays readable afterwards.
class record_events {
 public:
  // Throws std::bad_alloc when there is no memory for it, or in a library built
  // without tracing.
  record_events() {
    if (hakmem_events_start() != 0) internal::fail<std::bad_alloc>();
  }
  record_events(const record_events&) = delete;
  record_events& operator=(const record_events&) = delete;
  ~record_events() { hakmem_events_stop(); }
};

}  // namespace hakmem

#endif  // HAKMEM_HAKMEM_HPP_
