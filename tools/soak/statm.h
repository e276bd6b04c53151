// A field of /proc/self/statm. Read without allocating: the malloc that is
// tested must not be disturbed.
#ifndef HAKMEM_TOOLS_SOAK_STATM_H_
#define HAKMEM_TOOLS_SOAK_STATM_H_

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstddef>

namespace hakmem::soak {

inline constexpr int kAddressSpaceField = 0;
inline constexpr int kResidentField = 1;
inline constexpr int kDataField = 5;

// In bytes; 0 when it cannot be read, as while a limit is lowered.
inline size_t StatmBytes(int field) {
  char text[256] = {};
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t length = read(file, text, sizeof(text) - 1);
  close(file);
  if (length <= 0) return 0;
  char* next = text;
  size_t pages = 0;
  for (int i = 0; i <= field; ++i) pages = strtoull(next, &next, 10);
  return pages * static_cast<size_t>(getpagesize());
}

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_STATM_H_
