#include "backend/large/large_guards.h"

#include <cerrno>

namespace hakmem::large {

os::Mapping MapGuarded(size_t size, size_t alignment) {
  const size_t room = alignment + size + os::PageBytes();
  if (room < size) return {0, ENOMEM, SIZE_MAX};
  os::Mapping m = os::Map(room, alignment, os::Access::kNone);
  if (!m) return m;
  if (const int error = os::Commit(m.address + alignment, size)) {
    os::Release(m.address, room);
    return {0, error, size};
  }
  m.address += alignment;
  return m;
}

void ReleaseGuards(uintptr_t address, size_t size, size_t guarded) {
  if (guarded == 0) return;
  os::Release(address - guarded, guarded);
  os::Release(address + size, os::PageBytes());
}

}  // namespace hakmem::large
