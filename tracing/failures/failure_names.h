// Names of the codes of a failure (hakmem/hakmem.h). Static storage, never
// null; "?" for an unknown code.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_NAMES_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_NAMES_H_

#include "hakmem/hakmem.h"

namespace hakmem {

const char* NameOf(hakmem_failure_entry_t entry);            // "malloc"
const char* NameOf(hakmem_failure_layer_t layer);            // "ace"
const char* NameOf(hakmem_failure_cause_t cause);            // "MapFail"
const char* NameOf(hakmem_failure_subcause_t subcause);      // "RLIMIT_AS"
const char* NameOf(hakmem_failure_os_request_t os_request);  // "map_large"

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_NAMES_H_
