// Which pages lie inside a big block: one bit a page. A big block that shares a
// page with another one is found as soon as it is handed out, and so is a small
// block inside a big one, although big blocks are not written to everywhere.
//
// A forked child has a copy of its parent's claims.
#ifndef HAKMEM_TOOLS_SOAK_CLAIMS_H_
#define HAKMEM_TOOLS_SOAK_CLAIMS_H_

#include <cstddef>

namespace hakmem::soak {

// Makes the table: 4 GiB of address space; one page of it is touched for each
// 128 MiB in use. Where the system refuses that, nothing is claimed or checked.
void StartClaims();

// Claims the pages that lie wholly in the block. False when one was claimed
// already, or when an end of the block lies in a claimed page.
bool Claim(const char* block, size_t size);

// Call it before the block is freed.
void Unclaim(const char* block, size_t size);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_CLAIMS_H_
