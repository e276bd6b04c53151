// Sets an option of the process during a model's lifetime.
#ifndef HAKMEM_TESTS_STATE_FUZZ_OPTION_GUARD_H_
#define HAKMEM_TESTS_STATE_FUZZ_OPTION_GUARD_H_

#include <cstdint>

#include "base/text/options.h"

namespace hakmem::fuzz {

class OptionGuard {
 public:
  OptionGuard(options::Option option, uint64_t value)
      : option_(option), before_(options::Get(option)) {
    Set(value);
  }
  ~OptionGuard() { Set(before_); }
  OptionGuard(const OptionGuard&) = delete;
  OptionGuard& operator=(const OptionGuard&) = delete;

 private:
  void Set(uint64_t value) {
    options::internal::values[option_].store(value, std::memory_order_relaxed);
  }

  const options::Option option_;
  const uint64_t before_;
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_OPTION_GUARD_H_
