// The turn to purge: one thread at a time gives free memory back to the OS.
//
// While it does, that memory is in no list. A request that the OS refused must
// not be told that there is nothing to give back while another thread holds it
// between its list and munmap, so it waits for its turn. Others leave the work
// to whoever has the turn.
//
// Not a Mutex: the turn lasts as long as the system calls in it. Neither fork
// nor a thread that begins waits for it; in the child of a fork nobody has it.
//
// Take it while holding no lock. Thread-safe.
#ifndef HAKMEM_BACKEND_MEMORY_PURGE_TURN_H_
#define HAKMEM_BACKEND_MEMORY_PURGE_TURN_H_

namespace hakmem {

class PurgeTurn {
 public:
  enum class IfTaken { kWait, kLeave };

  // kWait returns without the turn where waiting would never end: in a signal
  // handler that interrupted this thread's own turn, and for a thread that
  // holds every lock, on one of which the other may wait.
  explicit PurgeTurn(IfTaken if_taken);
  ~PurgeTurn();
  PurgeTurn(const PurgeTurn&) = delete;
  PurgeTurn& operator=(const PurgeTurn&) = delete;

  // Whether this made the turn the calling thread's.
  bool IsHeld() const { return is_held_; }

  // Whether the calling thread has the turn, by this or by an earlier one.
  bool IsOurs() const;

  // In the child of a fork.
  static void ResetInChild();

 private:
  bool is_held_;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_PURGE_TURN_H_
