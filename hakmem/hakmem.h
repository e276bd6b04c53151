/* hakmem.h: the public interface of HAKMEM, usable from C89 and C++98 on.

   Programs that replace malloc (LD_PRELOAD, `malloc = "//:hakmem"`, or plain
   linking) need none of this: their malloc, free and operator new already are
   HAKMEM's. The names below give the same allocator to programs that keep
   another malloc; version, options, statistics, failures and events are for
   both.

   Sizes are bytes. Every function may be called from any thread at any time,
   except from a signal handler that interrupted an allocation on the same
   thread. */
#ifndef HAKMEM_HAKMEM_H_
#define HAKMEM_HAKMEM_H_

#include <stddef.h>
#include <stdint.h>

#if !defined(__cplusplus)
#define HAKMEM_NOEXCEPT
#elif __cplusplus < 201103L
#define HAKMEM_NOEXCEPT throw()
#else
#define HAKMEM_NOEXCEPT noexcept
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HAKMEM_API __attribute__((visibility("default")))
/* Attributes of functions that return new memory. */
#define HAKMEM_MALLOC __attribute__((malloc))
#define HAKMEM_SIZE(n) __attribute__((alloc_size(n)))
#define HAKMEM_SIZES(m, n) __attribute__((alloc_size(m, n)))
#define HAKMEM_ALIGN(n) __attribute__((alloc_align(n)))

/* --- Allocation ----------------------------------------------------------- */

/* Each behaves as the C or POSIX function of the same name without the prefix:
   blocks are 16-byte aligned at least, a size of 0 gives a block of its own,
   failure gives NULL with errno ENOMEM (EINVAL for an impossible alignment).
   A block from here may be freed by any function here, and by the plain names
   where HAKMEM replaces malloc. */

HAKMEM_API void* hakmem_malloc(size_t size) HAKMEM_NOEXCEPT HAKMEM_MALLOC
    HAKMEM_SIZE(1);
HAKMEM_API void* hakmem_calloc(size_t count,
                               size_t size) HAKMEM_NOEXCEPT HAKMEM_MALLOC
    HAKMEM_SIZES(1, 2);
HAKMEM_API void* hakmem_realloc(void* block, size_t size) HAKMEM_NOEXCEPT
    HAKMEM_SIZE(2);
HAKMEM_API void* hakmem_reallocarray(void* block, size_t count,
                                     size_t size) HAKMEM_NOEXCEPT
    HAKMEM_SIZES(2, 3);
HAKMEM_API void* hakmem_memalign(size_t alignment,
                                 size_t size) HAKMEM_NOEXCEPT HAKMEM_MALLOC
    HAKMEM_ALIGN(1) HAKMEM_SIZE(2);
HAKMEM_API void* hakmem_aligned_alloc(size_t alignment,
                                      size_t size) HAKMEM_NOEXCEPT HAKMEM_MALLOC
    HAKMEM_ALIGN(1) HAKMEM_SIZE(2);
HAKMEM_API int hakmem_posix_memalign(void** block, size_t alignment,
                                     size_t size) HAKMEM_NOEXCEPT
    __attribute__((nonnull(1)));
HAKMEM_API void* hakmem_valloc(size_t size) HAKMEM_NOEXCEPT HAKMEM_MALLOC
    HAKMEM_SIZE(1);
HAKMEM_API void* hakmem_pvalloc(size_t size) HAKMEM_NOEXCEPT HAKMEM_MALLOC;
HAKMEM_API void hakmem_free(void* block) HAKMEM_NOEXCEPT;
HAKMEM_API void hakmem_free_sized(void* block, size_t size) HAKMEM_NOEXCEPT;
HAKMEM_API void hakmem_free_aligned_sized(void* block, size_t alignment,
                                          size_t size) HAKMEM_NOEXCEPT;

/* Usable bytes of `block`, at least the size requested; 0 for NULL. */
HAKMEM_API size_t hakmem_malloc_usable_size(const void* block) HAKMEM_NOEXCEPT;

/* --- Housekeeping --------------------------------------------------------- */

/* Returns cached memory to the operating system now instead of by decay: the
   calling thread's bins, the reserves of other threads, empty slabs, free
   spans. Returns the bytes purged. */
HAKMEM_API size_t hakmem_collect(void) HAKMEM_NOEXCEPT;

/* "0.2.0 (segment, ace adaptive, hardening off, tracing on)": the version and
   the variants linked in. Static storage. */
HAKMEM_API const char* hakmem_version(void) HAKMEM_NOEXCEPT;

/* --- Options -------------------------------------------------------------- */

/* Options are read once, at start, from environment variables HAKMEM_<NAME>;
   the list is base/text/options.def and the table in
   docs/guide/options.md. */

typedef struct {
  const char* name;  /* lower case, as in options.def */
  const char* type;  /* "bool", "size" (bytes), "number", "duration"
                        (milliseconds), "format" (auto 0, text 1, json 2) or
                        "output" (1: something is written) */
  uint64_t value;    /* in force now */
  uint64_t fallback; /* the default */
  const char* doc;   /* one sentence */
} hakmem_option_t;

/* Fills `*option` with option `index` (from 0) and returns 1; returns 0 past
   the end of the list. */
HAKMEM_API int hakmem_option(size_t index,
                             hakmem_option_t* option) HAKMEM_NOEXCEPT;

/* --- Statistics ----------------------------------------------------------- */

/* Counters are read one by one while other threads run, not as a snapshot: each
   is exact, but their sums may not match. With --//tracing=off the event counts
   (refills to map_failures) are 0; the byte counts are always kept. */

typedef struct {
  const char* backend;      /* "segment" or "superslab" */
  uint64_t live_bytes;      /* in blocks the program holds; whole blocks */
  uint64_t cached_bytes;    /* in free blocks kept for reuse in bins and
                               caches */
  uint64_t committed_bytes; /* pages touched by live or free blocks and not
                               returned to the OS since */
  uint64_t reserved_bytes;  /* address space held */
  uint64_t metadata_bytes;  /* the allocator's own metadata, not part of any
                               other sum */
  uint64_t slab_live_bytes; /* of live_bytes: in slabs (tiny sizes) */
  uint64_t slab_committed_bytes; /* of committed_bytes: in slabs */
  uint64_t span_live_bytes;      /* of live_bytes: in page spans */
  uint64_t large_live_bytes;     /* of live_bytes: in mappings of their own */
  uint64_t chunks;               /* SuperSlabs or segments held */
  uint64_t slabs;                /* slabs in use (holding or awaiting blocks) */
  uint64_t threads;              /* thread caches attached */
  /* Events since the process started. */
  uint64_t refills;         /* batches the back-end handed out */
  uint64_t refilled_blocks; /* blocks in them */
  uint64_t drains;          /* batches returned to the back-end */
  uint64_t drained_blocks;  /* blocks in them */
  uint64_t remote_frees;    /* of drained_blocks: returned to another owner's
                               heap */
  uint64_t purges;          /* advice calls that purged pages */
  uint64_t purged_bytes;    /* bytes purged by them */
  uint64_t map_calls;       /* address space requests to the OS */
  uint64_t map_failures;    /* of map_calls: refused */
  /* ACE, the pool for sizes above 2 KiB. */
  uint64_t mid_live_bytes;      /* of live_bytes: blocks of 2 KiB to 32 KiB */
  uint64_t ace_cached_bytes;    /* of cached_bytes: mid blocks and spans */
  uint64_t large_cached_bytes;  /* of cached_bytes: large blocks */
  uint64_t ace_limit_bytes;     /* what ACE may hold; 0: no limit */
  uint64_t ace_span_classes;    /* span lengths that threads cache now, summed
                                   over threads */
  uint64_t ace_classes_begun;   /* times a thread began to cache a length ... */
  uint64_t ace_classes_retired; /* ... and stopped because nothing requested
                                   it */
  uint64_t bins_grown;          /* times that a bin's limit grew */
  uint64_t bins_emptied; /* times a thread flushed its bins on heap growth */
  /* Allocations that failed, by cause; see "Why an allocation failed" below. */
  uint64_t failures_threshold;
  uint64_t failures_exhaustion;
  uint64_t failures_mapfail;
  uint64_t failures_forgotten; /* of those: records overwritten by newer ones */
  uint64_t routings; /* requests that no class serves within the waste cap and
                        that got a span of their own; see hakmem_routings */
  /* Blocks guarded by HAKMEM_GUARD_SAMPLE; bytes are those requested. */
  uint64_t guarded_sampled;    /* since the process started */
  uint64_t guarded_live;       /* in use */
  uint64_t guarded_live_bytes; /* of live_bytes: in guarded blocks */
  uint64_t large_live_blocks;  /* blocks in large_live_bytes */
} hakmem_stats_t;

/* Fills the first `size` bytes of `*stats` (pass sizeof(hakmem_stats_t); later
   versions only add at the end). Returns the bytes filled. */
HAKMEM_API size_t hakmem_stats(hakmem_stats_t* stats,
                               size_t size) HAKMEM_NOEXCEPT;

/* A size class: blocks of up to 32 KiB. */
typedef struct {
  uint64_t block_bytes;     /* bytes of each block */
  uint64_t live_blocks;     /* the program holds; with --//hardening=full those
                               in quarantine too */
  uint64_t cached_blocks;   /* free, in bins of threads */
  uint64_t free_blocks;     /* free, in slabs */
  uint64_t slabs;           /* with blocks of this class */
  uint64_t committed_bytes; /* touched pages of these slabs; more than live
                               bytes where few live blocks pin many pages */
} hakmem_class_stats_t;

/* A thread's cache. */
typedef struct {
  uint64_t thread;       /* as gettid(2); 0 for the cache of a thread that has
                            ended, which waits for the next one to begin */
  uint64_t cached_bytes; /* in free blocks and spans that only it can use */
} hakmem_thread_stats_t;

/* Fill up to `capacity` elements of an array whose elements are `size` bytes
   (pass sizeof(hakmem_class_stats_t) or sizeof(hakmem_thread_stats_t)): the
   classes that have slabs, by block_bytes; the threads that have a cache, in no
   order. Return how many there are, which may be more than `capacity`. Take
   time in proportion to the slabs, or threads, there are. Allocate nothing. */
HAKMEM_API size_t hakmem_class_stats(hakmem_class_stats_t* classes,
                                     size_t capacity,
                                     size_t size) HAKMEM_NOEXCEPT;
HAKMEM_API size_t hakmem_thread_stats(hakmem_thread_stats_t* threads,
                                      size_t capacity,
                                      size_t size) HAKMEM_NOEXCEPT;

/* Write the statistics as one JSON object, with those of classes and threads as
   arrays "classes" and "thread_caches"; and in Prometheus's text format, one
   metric hakmem_<field> for each field ("_total" added to counters) and the
   classes' with a label block_bytes. Always NUL-terminated when `capacity` is
   not 0. Return the length of the whole text without the NUL, as snprintf does.
   Allocate nothing. */
HAKMEM_API size_t hakmem_stats_json(char* buffer,
                                    size_t capacity) HAKMEM_NOEXCEPT;
HAKMEM_API size_t hakmem_stats_prometheus(char* buffer,
                                          size_t capacity) HAKMEM_NOEXCEPT;

/* Verifies all metadata of the allocator: every block, page and chunk is in
   exactly one place, and every sum is right. Returns the number of errors, 0
   when there are none. Each error is a line on stderr that begins "hakmem[PID]:
   heap check: "; at most 20 are written, then one line that says how many more.

   Only in the libraries whose names end in -verify, and where //frontend/verify
   is linked: elsewhere dlsym does not find it.

   For tests: no other thread may be inside an allocation or a free meanwhile.
   Other threads may run or wait elsewhere; those that call the allocator wait
   until the check is done. Allocates nothing. Takes about a millisecond, more
   in a large heap. In the child of a fork from several threads, state that a
   lost thread may have been changing is not checked. */
HAKMEM_API int hakmem_check_heap(void) HAKMEM_NOEXCEPT;

/* --- Why an allocation failed --------------------------------------------- */

/* Each allocation that fails leaves a record, a hakmem_failure_t, with one of
   three causes:
     Threshold   no pool serves this size or alignment;
     Exhaustion  the pool that serves it is at its configured limit;
     MapFail     the operating system refused; the sub-cause names the limit
                 that explains it, as far as it could be determined.
   HAKMEM_ACE_TRACE logs each record as it happens, as a line of text or JSON
   (HAKMEM_ACE_TRACE_FORMAT). The last 128 records are kept. The functions below
   take no allocator lock and allocate nothing, so they may be called in a
   failure callback and, except hakmem_set_failure_callback, in any signal
   handler. With --//tracing=off there are no records.

   Without a log or a callback, a failure makes no system call besides the
   refused one. The limits that may explain a MapFail are looked up when the
   failure is logged or passed to the callback (the same failure within 100 ms
   reuses the first one's figures), otherwise when hakmem_last_failure or
   hakmem_failures first reads the record; the record keeps the result. So read
   it soon: a limit that has changed since then explains nothing. */

/* The function that the program called. */
typedef enum {
  HAKMEM_ENTRY_NONE = 0, /* none: advice to the operating system */
  HAKMEM_ENTRY_MALLOC = 1,
  HAKMEM_ENTRY_CALLOC = 2,
  HAKMEM_ENTRY_REALLOC = 3,
  HAKMEM_ENTRY_REALLOCARRAY = 4,
  HAKMEM_ENTRY_MEMALIGN = 5,
  HAKMEM_ENTRY_ALIGNED_ALLOC = 6,
  HAKMEM_ENTRY_POSIX_MEMALIGN = 7,
  HAKMEM_ENTRY_VALLOC = 8,
  HAKMEM_ENTRY_PVALLOC = 9,
  HAKMEM_ENTRY_NEW = 10,        /* operator new without an alignment */
  HAKMEM_ENTRY_NEW_ALIGNED = 11 /* with one */
} hakmem_failure_entry_t;

/* The part of the allocator that refused the request. */
typedef enum {
  HAKMEM_LAYER_FRONTEND = 0, /* before any memory was requested */
  HAKMEM_LAYER_BACKEND = 1,  /* tiny sizes */
  HAKMEM_LAYER_ACE = 2,      /* the pool for sizes above tiny */
  HAKMEM_LAYER_LARGE = 3     /* mappings of their own */
} hakmem_failure_layer_t;

typedef enum {
  HAKMEM_CAUSE_NONE = 0, /* not recorded */
  HAKMEM_CAUSE_THRESHOLD = 1,
  HAKMEM_CAUSE_EXHAUSTION = 2,
  HAKMEM_CAUSE_MAPFAIL = 3
} hakmem_failure_cause_t;

/* MapFail: the limit that explains the refusal. */
typedef enum {
  HAKMEM_SUBCAUSE_NONE = 0,          /* no MapFail */
  HAKMEM_SUBCAUSE_RLIMIT_AS = 1,     /* ulimit -v */
  HAKMEM_SUBCAUSE_RLIMIT_DATA = 2,   /* ulimit -d */
  HAKMEM_SUBCAUSE_ADDRESS_SPACE = 3, /* more than any process can have */
  HAKMEM_SUBCAUSE_COMMIT_LIMIT = 4,  /* vm.overcommit_memory=2 */
  HAKMEM_SUBCAUSE_MAX_MAP_COUNT = 5, /* vm.max_map_count */
  HAKMEM_SUBCAUSE_MEMORY_MAX = 6,    /* of a cgroup of version 2 */
  HAKMEM_SUBCAUSE_MEMORY_LIMIT_IN_BYTES = 7, /* of a cgroup of version 1 */
  HAKMEM_SUBCAUSE_OVERCOMMIT = 8,            /* vm.overcommit_memory=0: more
                                                than all memory and swap */
  HAKMEM_SUBCAUSE_HUGE_PAGES = 9,            /* the kernel provides none */
  HAKMEM_SUBCAUSE_RLIMIT_MEMLOCK = 10,       /* ulimit -l */
  HAKMEM_SUBCAUSE_NOT_LOOKED_UP = 11, /* on a signal stack too small for it */
  HAKMEM_SUBCAUSE_UNKNOWN = 12        /* none of these */
} hakmem_failure_subcause_t;

/* MapFail: what was requested from the operating system. */
typedef enum {
  HAKMEM_OS_REQUEST_NONE = 0,       /* no MapFail */
  HAKMEM_OS_REQUEST_RESERVE = 1,    /* address space for chunks */
  HAKMEM_OS_REQUEST_COMMIT = 2,     /* to make a reserved chunk usable */
  HAKMEM_OS_REQUEST_METADATA = 3,   /* memory for the allocator's metadata */
  HAKMEM_OS_REQUEST_MAP_LARGE = 4,  /* a mapping for a large block */
  HAKMEM_OS_REQUEST_GROW_LARGE = 5, /* to grow or move a large block */
  HAKMEM_OS_REQUEST_HUGE_PAGES = 6  /* advice to use huge pages */
} hakmem_failure_os_request_t;

/* The record of one failure, the same for the allocator, the program and the
   log. Plain data without pointers or padding: it may be copied, kept and
   written anywhere. Later versions only add fields at the end and codes to the
   enums. */
typedef struct {
  uint32_t struct_size; /* bytes of this struct that are filled in */
  uint32_t thread;      /* as gettid(2) */
  uint64_t sequence;    /* grows with each record; may skip numbers */
  uint64_t
      time_ns; /* since 1970, by CLOCK_REALTIME_COARSE (so in ticks); 0,
                  not taken, for a Threshold without a log and a callback */
  hakmem_failure_entry_t entry;
  hakmem_failure_layer_t layer;
  hakmem_failure_cause_t cause;
  hakmem_failure_subcause_t subcause;
  hakmem_failure_os_request_t os_request;
  int32_t error;         /* errno of the system's refusal, else of the call */
  uint64_t size;         /* requested; SIZE_MAX when count * size overflowed */
  uint64_t alignment;    /* requested; 0 when none was */
  uint64_t class_bytes;  /* block size of the class; 0 when there was none */
  uint64_t live_bytes;   /* in use in the pool at its limit, or in the class
                            (then up to 100 ms old) */
  uint64_t cached_bytes; /* free there */
  uint64_t limit_bytes;  /* Exhaustion: the pool's limit */
  uint64_t os_bytes; /* MapFail: requested from the operating system, including
                        what aligning it takes */
  /* MapFail: the use of the limit that the sub-cause names, and the limit:
     bytes, or mappings for MAX_MAP_COUNT. Both 0 when it names no limit;
     `evidence_used` also when the request alone exceeds it and /proc is
     missing. */
  uint64_t evidence_used;
  uint64_t evidence_limit;
} hakmem_failure_t;

/* Fills the first `size` bytes of `*failure` (pass sizeof(hakmem_failure_t))
   with the process's newest record and returns 1; returns 0, with `*failure`
   untouched, when there is none. */
HAKMEM_API int hakmem_last_failure(hakmem_failure_t* failure,
                                   size_t size) HAKMEM_NOEXCEPT;

/* Calls visit(record, argument) for each record kept, oldest first; the record
   is valid during the call. Returns how many there were. */
HAKMEM_API size_t hakmem_failures(void (*visit)(const hakmem_failure_t* failure,
                                                void* argument),
                                  void* argument) HAKMEM_NOEXCEPT;

/* Sets the process's only failure callback; NULL removes it. callback(record,
   argument) runs after each record is made, on the thread whose allocation
   failed, before that allocation returns. It may allocate and free; an
   allocation that fails in it is recorded, but does not call it again. It must
   return: neither throw nor longjmp. */
HAKMEM_API void hakmem_set_failure_callback(
    void (*callback)(const hakmem_failure_t* failure, void* argument),
    void* argument) HAKMEM_NOEXCEPT;

/* The name of a code: "malloc", "operator new"; "large"; "MapFail";
   "RLIMIT_AS", "memory.max"; "map_large". Static storage, never NULL; "?" for a
   code that this version does not know, "" with --//tracing=off. */
HAKMEM_API const char* hakmem_failure_entry_name(hakmem_failure_entry_t entry)
    HAKMEM_NOEXCEPT;
HAKMEM_API const char* hakmem_failure_layer_name(hakmem_failure_layer_t layer)
    HAKMEM_NOEXCEPT;
HAKMEM_API const char* hakmem_failure_cause_name(hakmem_failure_cause_t cause)
    HAKMEM_NOEXCEPT;
HAKMEM_API const char* hakmem_failure_subcause_name(
    hakmem_failure_subcause_t subcause) HAKMEM_NOEXCEPT;
HAKMEM_API const char* hakmem_failure_os_request_name(
    hakmem_failure_os_request_t os_request) HAKMEM_NOEXCEPT;

/* Writes `*failure`, whose struct_size says how much is filled in, as one
   sentence: the request, the cause with its figures, and last what to do about
   it. (The log puts "failure SEQUENCE, thread THREAD: " before it.) Always
   NUL-terminated when `capacity` is not 0. Returns the length of the whole text
   without the NUL, as snprintf does. */
HAKMEM_API size_t hakmem_failure_text(const hakmem_failure_t* failure,
                                      char* buffer,
                                      size_t capacity) HAKMEM_NOEXCEPT;

/* The same as one JSON object: the fields of the struct except struct_size,
   under their names and with codes as names; then "error_name" ("ENOMEM"),
   "text" (the sentence) and "explanation" (its end: why, and what to do). */
HAKMEM_API size_t hakmem_failure_json(const hakmem_failure_t* failure,
                                      char* buffer,
                                      size_t capacity) HAKMEM_NOEXCEPT;

/* Calls visit(least, most, requests, bytes, argument) for each range of sizes,
   `least` to `most` bytes, with requests that got a span of their own because
   no class serves them within the waste cap: the number of `requests` and the
   `bytes` requested in total. A range spans an eighth of a doubling; they come
   in ascending order. Returns how many there were. Such sizes would gain from a
   class of their own, or from a larger HAKMEM_ACE_WASTE_PERCENT. */
HAKMEM_API size_t hakmem_routings(void (*visit)(size_t least, size_t most,
                                                uint64_t requests,
                                                uint64_t bytes, void* argument),
                                  void* argument) HAKMEM_NOEXCEPT;

/* --- Allocation events ---------------------------------------------------- */

/* Records what each thread allocates and frees, while switched on: by
   hakmem_events_start, or from process start by HAKMEM_EVENTS=1. Costs nothing
   while off; while on, every call takes the slow path.

   Each thread records into its own ring of 4096 events; new ones overwrite the
   oldest. There are 256 rings; those of ended threads stay readable until other
   threads need them. All functions but hakmem_events_start may be called at any
   time, also from signal handlers and debuggers. Only the first
   hakmem_events_start allocates. A forked child begins with no events and keeps
   recording if its parent did. */

/* MALLOC and REALLOC begin the life of a block, FREE ends it. A realloc is
   recorded as a FREE of the old block and a REALLOC of the new one, even if it
   did not move; one that fails, as a REALLOC of the unchanged block. */
typedef enum {
  HAKMEM_OPERATION_MALLOC = 0, /* by any function that returns a new block */
  HAKMEM_OPERATION_FREE = 1,
  HAKMEM_OPERATION_REALLOC = 2
} hakmem_operation_t;

typedef struct {
  uint64_t time_ns; /* CLOCK_MONOTONIC */
  uint32_t thread;  /* as gettid(2); the kernel reuses ids of ended threads */
  hakmem_operation_t operation;
  const void* address; /* of the block */
  size_t size;         /* bytes requested; FREE: 0 */
  size_t class_bytes;  /* usable bytes, as hakmem_malloc_usable_size */
  const void* caller;  /* return address of the call in the program */
} hakmem_event_t;

typedef struct {
  uint64_t recorded;    /* events since they were last started */
  uint64_t overwritten; /* of recorded: lost to newer ones */
  uint64_t dropped; /* not recorded: more live threads than rings, or a signal
                       handler interrupted a recording */
} hakmem_event_counts_t;

/* Discards all events and switches recording on; does nothing when it is on.
   Returns 0, ENOMEM when there is no memory for the rings (some 48 MiB of
   address space, mapped once and kept), or ENOSYS in a library built with
   --//tracing=off. */
HAKMEM_API int hakmem_events_start(void) HAKMEM_NOEXCEPT;

/* Switches recording off; events stay readable. Calls in progress on other
   threads may still be recorded. */
HAKMEM_API void hakmem_events_stop(void) HAKMEM_NOEXCEPT;

/* Calls visit(event, argument) for each event of all threads, one thread after
   the other, oldest first; sort by time_ns to merge threads. `visit` may
   allocate, but must neither throw nor start events. Returns how many there
   were. Other threads may record meanwhile; every event is whole. */
HAKMEM_API size_t hakmem_events(void (*visit)(const hakmem_event_t* event,
                                              void* argument),
                                void* argument) HAKMEM_NOEXCEPT;

/* Fills the first `size` bytes of `*counts` (pass
   sizeof(hakmem_event_counts_t); later versions only add at the end). Returns
   the bytes filled. */
HAKMEM_API size_t hakmem_event_counts(hakmem_event_counts_t* counts,
                                      size_t size) HAKMEM_NOEXCEPT;

/* Writes each event as one line to the file descriptor `fd`, in the order of
   hakmem_events:
     time_ns thread operation address size class_bytes caller
     81234567890 4711 malloc 0x7f3e52c01240 100 112 0x55d0c3a2b1f7
   with the operations malloc, free and realloc. Returns 0, or the errno of the
   write that failed, after which it stops. */
HAKMEM_API int hakmem_events_dump(int fd) HAKMEM_NOEXCEPT;

/* --- Heap profile --------------------------------------------------------- */

/* A sample of the program's blocks: on average one in `rate` allocated bytes,
   each with the stack that allocated it. A block of b bytes (its class's, or
   whole pages above 32 KiB) is taken with probability 1 - exp(-b / rate) and
   counts as the inverse of that many, so every sum is unbiased. Costs nothing
   while off. While on, frees of blocks that were not sampled cost nothing, and
   each live sample of up to 32 KiB takes whole pages.

   hakmem_profile_start: returns 0; EINVAL for a rate below 1 or above 1 GiB;
   EBUSY while one is on; ENOMEM; ENOSYS in a library built with
   --//tracing=off. hakmem_profile_stop: what was sampled stays in the profile
   until it is freed, and a later start adds to it. hakmem_profile_write: writes
   the profile to the file `path`, which is created or replaced; "%p" in it
   stands for the process's number. May be called while on or stopped. Returns
   0, the errno of what failed, ENODATA when none was ever started, or EINVAL
   when `path` is NULL or empty. `hakmem profile` turns the file into one for
   pprof.

   Thread-safe; none allocates. A forked child goes on with a copy of its
   parent's profile. */
HAKMEM_API int hakmem_profile_start(size_t rate) HAKMEM_NOEXCEPT;
HAKMEM_API void hakmem_profile_stop(void) HAKMEM_NOEXCEPT;
HAKMEM_API int hakmem_profile_write(const char* path) HAKMEM_NOEXCEPT;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* HAKMEM_HAKMEM_H_ */
