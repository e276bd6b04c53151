// The process's secret numbers, unpredictable for the program.
//
// Thread-safe. Not cryptographic: a program can compute the secret once it
// reads freed memory.
#ifndef HAKMEM_HARDENING_SECRET_H_
#define HAKMEM_HARDENING_SECRET_H_

#include <cstdint>

namespace hakmem {

class Secret {
 public:
  // Chooses the secret, once; to be called before any other function here by
  // every potential first user. Allocates nothing; keeps errno.
  static void Choose();

  // The same throughout the process's life, and in its children.
  static uint64_t Get() { return value_; }

  // A new random number at each call.
  static uint64_t Random();

 private:
  static constinit uint64_t value_;
};

}  // namespace hakmem

#endif  // HAKMEM_HARDENING_SECRET_H_
