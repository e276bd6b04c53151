#include "tools/subprocess/held_signals.h"

namespace hakmem::tools {

HeldSignals::HeldSignals(std::initializer_list<int> signals) {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &action, &former_.child);
  sigset_t held;
  sigemptyset(&held);
  for (const int signal : signals) sigaddset(&held, signal);
  pthread_sigmask(SIG_BLOCK, &held, &former_.mask);
  descriptor_ = Descriptor(signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK));
}

HeldSignals::~HeldSignals() {
  // What is pending would end the program when it is unblocked.
  while (Take()) {
  }
  sigaction(SIGCHLD, &former_.child, nullptr);
  pthread_sigmask(SIG_SETMASK, &former_.mask, nullptr);
}

std::optional<signalfd_siginfo> HeldSignals::Take() {
  signalfd_siginfo info;
  if (read(descriptor(), &info, sizeof(info)) != sizeof(info)) return {};
  return info;
}

bool Interrupt::Requested() {
  while (signals_.Take()) requested_ = true;
  return requested_;
}

}  // namespace hakmem::tools
