/* What a standard makes of hakmem.h; the same for all. */
#ifndef HAKMEM_HAKMEM_HEADER_TEST_HELPER_H_
#define HAKMEM_HAKMEM_HEADER_TEST_HELPER_H_

#include "hakmem/hakmem.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  long standard; /* __STDC_VERSION__ or __cplusplus; 0 in C89 */
  size_t option;
  size_t stats;
  size_t failure;
  size_t event;
  size_t event_counts;
  size_t failure_cause;
} HeaderLayout;

#define HEADER_LAYOUT(standard)                                       \
  {                                                                   \
    (standard), sizeof(hakmem_option_t), sizeof(hakmem_stats_t),      \
        sizeof(hakmem_failure_t), sizeof(hakmem_event_t),             \
        sizeof(hakmem_event_counts_t), sizeof(hakmem_failure_cause_t) \
  }

#define HEADER_JOIN_(a, b) a##b
#define HEADER_JOIN(a, b) HEADER_JOIN_(a, b)
/* The function HeaderLayout_c89 and the like. */
#define HEADER_FUNCTION HEADER_JOIN(HeaderLayout_, HAKMEM_TEST_STANDARD)

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* HAKMEM_HAKMEM_HEADER_TEST_HELPER_H_ */
