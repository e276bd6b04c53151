// Signals that a program which runs others wants to be asked about instead of
// being ended by: it cleans up first, or passes them on.
#ifndef HAKMEM_TOOLS_SUBPROCESS_HELD_SIGNALS_H_
#define HAKMEM_TOOLS_SUBPROCESS_HELD_SIGNALS_H_

#include <signal.h>
#include <sys/signalfd.h>

#include <initializer_list>
#include <optional>

#include "tools/subprocess/descriptor.h"

namespace hakmem::tools {

// What a child should restore.
struct SignalState {
  sigset_t mask;
  struct sigaction child;  // of SIGCHLD
};

// While one exists, its signals end nothing and can be read. They arrive even
// where they are ignored, as SIGINT is in the background jobs of scripts.
// SIGCHLD, which a process may inherit as ignored, has its default action:
// otherwise no child could be waited for. At most one, made while there is one
// thread.
class HeldSignals {
 public:
  explicit HeldSignals(std::initializer_list<int> signals);
  // Drops signals that have come and were not taken.
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // Readable when a signal has come.
  int descriptor() const { return descriptor_.number(); }

  // A signal that has come; none when there is none (left). Does not wait.
  std::optional<signalfd_siginfo> Take();

  // How it was before.
  const SignalState& former() const { return former_; }

 private:
  SignalState former_;
  Descriptor descriptor_;
};

// SIGINT and SIGTERM as something to ask for.
class Interrupt {
 public:
  // True from the first signal on.
  bool Requested();

  int descriptor() const { return signals_.descriptor(); }
  const SignalState& former() const { return signals_.former(); }

 private:
  HeldSignals signals_{SIGINT, SIGTERM};
  bool requested_ = false;
};

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_SUBPROCESS_HELD_SIGNALS_H_
