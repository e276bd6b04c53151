// What an address is at which a block above tiny should be, and none is.
#ifndef HAKMEM_BACKEND_LARGE_BAD_ADDRESS_H_
#define HAKMEM_BACKEND_LARGE_BAD_ADDRESS_H_

#include "backend/memory/found.h"

namespace hakmem {

// Aborts with one line that says what lies where something was found that is no
// slab's (found.h), and no block in use starts. Takes the page heap's and the
// large blocks' locks.
[[noreturn, gnu::cold]] void AbortOnBadAddress(Found found);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_LARGE_BAD_ADDRESS_H_
