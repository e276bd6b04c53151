#include "base/text/errno_name.h"

#include <cerrno>

namespace hakmem {
namespace {

struct Named {
  int error;
  const char* name;
};

#define HAKMEM_ERRNO(name) \
  { name, #name }
constexpr Named kNames[] = {
    HAKMEM_ERRNO(ENOMEM), HAKMEM_ERRNO(EINVAL),       HAKMEM_ERRNO(EAGAIN),
    HAKMEM_ERRNO(EPERM),  HAKMEM_ERRNO(EACCES),       HAKMEM_ERRNO(ENOENT),
    HAKMEM_ERRNO(EEXIST), HAKMEM_ERRNO(EFAULT),       HAKMEM_ERRNO(EBADF),
    HAKMEM_ERRNO(EBUSY),  HAKMEM_ERRNO(ENODEV),       HAKMEM_ERRNO(ENOTDIR),
    HAKMEM_ERRNO(EISDIR), HAKMEM_ERRNO(EMFILE),       HAKMEM_ERRNO(ENFILE),
    HAKMEM_ERRNO(ENOSPC), HAKMEM_ERRNO(EROFS),        HAKMEM_ERRNO(ELOOP),
    HAKMEM_ERRNO(ENXIO),  HAKMEM_ERRNO(ENAMETOOLONG), HAKMEM_ERRNO(ENOSYS),
    HAKMEM_ERRNO(EIO),    HAKMEM_ERRNO(EOVERFLOW),
};
#undef HAKMEM_ERRNO

}  // namespace

const char* ErrnoName(int error) {
  for (const Named& named : kNames) {
    if (named.error == error) return named.name;
  }
  return nullptr;
}

}  // namespace hakmem
