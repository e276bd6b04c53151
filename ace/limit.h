// What ACE's pool holds, and the limit that it may not exceed.
//
// Held are the blocks of mid classes that threads have, in use or in bins, and
// all spans, in use or cached. Large blocks are not the pool's.
//
// Thread-safe, without a lock.
#ifndef HAKMEM_ACE_LIMIT_H_
#define HAKMEM_ACE_LIMIT_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class AceLimit {
 public:
  // Adds `bytes` to what is held. Returns false, and adds nothing, when that
  // would exceed the limit.
  static bool Reserve(size_t bytes);

  // Takes `bytes` off what is held.
  static void Release(size_t bytes);

  // Bytes held.
  static size_t Held();

  // The limit in bytes; SIZE_MAX when there is none.
  static size_t Bytes();
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_LIMIT_H_
