// What the threads of a worker do: a list of works, each some milliseconds of
// one kind of traffic. Which one comes next is drawn by weight.
#ifndef HAKMEM_TOOLS_SOAK_WORKS_H_
#define HAKMEM_TOOLS_SOAK_WORKS_H_

#include <cstddef>

#include "tools/soak/block_list.h"
#include "tools/soak/random.h"
#include "tools/soak/relay.h"

namespace hakmem::soak {

// What a thread works with. Lies in mapped memory and serves one thread after
// the other.
struct Hand {
  Random random;
  BlockList kept;     // lives from one work to the next, till the thread ends
  BlockList scratch;  // empty between works
  Relay relay;        // to a thread that a work starts
  bool in_child;      // of fork: there are no other threads
};

// Once; `budget` is what its blocks may hold, in bytes.
void StartHand(Hand& hand, size_t budget);

// Does one work.
void DoAWork(Hand& hand);

// Single works, by subject.
void SmallMix(Hand& hand);      // small_works.cc
void Batches(Hand& hand);       //
void GrowAndThin(Hand& hand);   //
void MidMix(Hand& hand);        // big_works.cc
void LargeMix(Hand& hand);      //
void Ladder(Hand& hand);        //
void Aligned(Hand& hand);       //
void Zeroed(Hand& hand);        //
void Maps(Hand& hand);          // container_works.cc
void Strings(Hand& hand);       //
void Trees(Hand& hand);         //
void PassOn(Hand& hand);        // thread_works.cc
void Pipe(Hand& hand);          //
void Serve(Hand& hand);         //
void Fork(Hand& hand);          // process_works.cc
void Idle(Hand& hand);          //
void Housekeeping(Hand& hand);  //

// Blocks that threads of the worker left for others (PassOn): those that remain
// when all threads have ended.
void ReleasePassedOn(Random& random);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_WORKS_H_
