// The process's secret numbers: what the program cannot guess.
//
// Thread-safe. Not for cryptography: a program that reads freed memory can work
// the secret out, but not before it is told of.
#ifndef HAKMEM_HARDENING_SECRET_H_
#define HAKMEM_HARDENING_SECRET_H_

#include <cstdint>

namespace hakmem {

class Secret {
 public:
  // Chooses the secret, once; to be called before any other function here by
  // whoever may be the first to need it. Allocates nothing; keeps errno.
  static void Choose();

  // The same all through the process's life, and in its children.
  static uint64_t Get() { return value_; }

  // Another number at each call.
  static uint64_t Random();

 private:
  static constinit uint64_t value_;
};

}  // namespace hakmem

#endif  // HAKMEM_HARDENING_SECRET_H_
