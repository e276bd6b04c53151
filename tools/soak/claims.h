// Which pages lie inside a big block: a bit each. Two big blocks that share a
// page are found the epoch the second is handed out, and so is a small block
// within a big one; that big blocks are not written to everywhere hides
// nothing.
//
// Forked children have claims of their own, which begin as the parent's.
#ifndef HAKMEM_TOOLS_SOAK_CLAIMS_H_
#define HAKMEM_TOOLS_SOAK_CLAIMS_H_

#include <cstddef>

namespace hakmem::soak {

// Makes the table: 4 GiB of address space, of which a page is touched for each
// 128 MiB in use. Where the system refuses that, there are no claims.
void StartClaims();
bool ClaimsAreKept();

// Claims the pages that lie wholly in the block. False when one was claimed
// already, or when an end of the block lies in a claimed page.
bool Claim(const char* block, size_t size);

// Call it before the block is freed.
void Unclaim(const char* block, size_t size);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_CLAIMS_H_
