// Span shards: the free spans that all threads share, by length.
//
// A span that a thread's bins do not keep goes to the shard of its length, and
// from there to whichever thread next asks for that length: a message buffer
// that one thread frees is the next one that another fills, still mapped and in
// cache. Each shard has a lock, held for a few instructions.
//
// Limits follow demand as those of the span bins do (span_bins.h): a length
// that finds its shard empty again and again may keep more, what lies unused
// for an epoch goes back to the page heap. Thread-safe. Lock order: before the
// page heap's.
#ifndef HAKMEM_ACE_SPAN_SHARDS_H_
#define HAKMEM_ACE_SPAN_SHARDS_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class SpanShards {
 public:
  // Takes up to `count` spans of `pages` out, into `out`. Returns how many.
  static uint32_t Take(size_t pages, uint32_t count, uintptr_t* out);

  // Offers `count` spans of `pages`; keeps what the limit allows. Returns how
  // many it kept: the first ones.
  static uint32_t Give(size_t pages, const uintptr_t* spans, uint32_t count);

  // Ends an epoch: gives spans that lay unused in it back to the page heap, all
  // spans with `force`. Returns how many bytes.
  static size_t EndEpoch(bool force);

  // Bytes of the spans that are kept.
  static size_t HeldBytes();

  static void LockForFork();
  static void UnlockAfterFork();
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_SPAN_SHARDS_H_
