// Names of what a failure record holds, and back.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_NAMES_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_NAMES_H_

#include "tracing/failures/failure_record.h"

namespace hakmem {

// Static storage, never null.
const char* NameOf(EntryPoint entry);      // "malloc"
const char* NameOf(Layer layer);           // "ace"
const char* NameOf(Cause cause);           // "MapFail"
const char* NameOf(SubCause subcause);     // "RLIMIT_AS"
const char* NameOf(OsRequest os_request);  // "a large block"

// The values whose names these are, put into `record`; the first of each kind
// for a name that is null or unknown.
void SetByNames(const char* entry, const char* layer, const char* cause,
                const char* subcause, const char* os_request,
                FailureRecord* record);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_NAMES_H_
