// Error messages for a bad address outside slabs: no span, large block or block
// of the small reserve that is in use starts there.
#ifndef HAKMEM_BACKEND_LARGE_BAD_ADDRESS_H_
#define HAKMEM_BACKEND_LARGE_BAD_ADDRESS_H_

#include "backend/memory/pagemap_entry.h"

namespace hakmem {

// Aborts with one line that says what lies at `entry`, which is in no slab
// (pagemap_entry.h) and not the start of a block in use. Takes the locks of the
// page heap and the large blocks.
[[noreturn, gnu::cold]] void AbortOnBadAddress(PagemapEntry entry);

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_LARGE_BAD_ADDRESS_H_
