// linux/futex.h: the part of the kernel's header that the allocator uses. The
// kernel's headers lie among glibc's, whose folder must not be searched.
#ifndef HAKMEM_THIRD_PARTY_TOOLCHAINS_MUSL_KERNEL_LINUX_FUTEX_H_
#define HAKMEM_THIRD_PARTY_TOOLCHAINS_MUSL_KERNEL_LINUX_FUTEX_H_

#define FUTEX_PRIVATE_FLAG 128
#define FUTEX_WAIT_PRIVATE (0 | FUTEX_PRIVATE_FLAG)
#define FUTEX_WAKE_PRIVATE (1 | FUTEX_PRIVATE_FLAG)
#define FUTEX_CMP_REQUEUE_PRIVATE (4 | FUTEX_PRIVATE_FLAG)
#define FUTEX_TRYLOCK_PI_PRIVATE (8 | FUTEX_PRIVATE_FLAG)
#define FUTEX_TID_MASK 0x3fffffff

#endif  // HAKMEM_THIRD_PARTY_TOOLCHAINS_MUSL_KERNEL_LINUX_FUTEX_H_
