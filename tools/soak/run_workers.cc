#include "tools/soak/run_workers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hakmem::soak {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long a worker has to free its blocks and report, once interrupted.
constexpr auto kGrace = std::chrono::seconds(60);
// Of a worker's lines on stderr; one that prints without end may not.
constexpr size_t kMostErrorBytes = 65536;

sigset_t Handled() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) {
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

class Worker {
 public:
  explicit Worker(const WorkerCommand& command)
      : deadline_(steady_clock::now() + command.limit) {
    int output[2];
    int errors[2];
    if (pipe2(output, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0) return;
    const std::vector<char*> arguments = Pointers(command.arguments);
    const std::vector<char*> environment = Pointers(command.environment);
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      // Out of the terminal's foreground: Ctrl-C reaches the driver only.
      setpgid(0, 0);
      dup2(output[1], STDOUT_FILENO);
      dup2(errors[1], STDERR_FILENO);
      const sigset_t handled = Handled();
      sigprocmask(SIG_UNBLOCK, &handled, nullptr);
      execve(arguments[0], arguments.data(), environment.data());
      dprintf(STDERR_FILENO, "cannot run %s: %s\n", arguments[0],
              strerror(errno));
      _exit(127);
    }
    if (process_ > 0) setpgid(process_, process_);
    close(output[1]);
    close(errors[1]);
    output_ = output[0];
    errors_ = errors[0];
  }

  bool Runs() const { return output_ >= 0 || errors_ >= 0; }
  pollfd OutputPoll() const { return {output_, POLLIN, 0}; }
  pollfd ErrorsPoll() const { return {errors_, POLLIN, 0}; }
  steady_clock::time_point deadline() const { return deadline_; }

  void Read() {
    ReadFrom(output_, ending_.output);
    ReadFrom(errors_, ending_.errors);
  }

  void AskToEnd() {
    if (process_ > 0) kill(process_, SIGTERM);
    deadline_ = std::min(deadline_, steady_clock::now() + kGrace);
  }

  void KillWhenDue() {
    if (!Runs() || steady_clock::now() < deadline_) return;
    ending_.timed_out = true;
    if (process_ > 0) kill(-process_, SIGKILL);
    // What it has started may have left the group and hold the pipes.
    Close(output_);
    Close(errors_);
  }

  WorkerEnding End() {
    if (process_ > 0) {
      while (waitpid(process_, &ending_.status, 0) < 0 && errno == EINTR) {
      }
    } else {
      ending_.status = 127 << 8;
      ending_.errors = "cannot start a process\n";
    }
    return ending_;
  }

 private:
  static void Close(int& descriptor) {
    if (descriptor >= 0) close(descriptor);
    descriptor = -1;
  }

  // Once, of what is there.
  static void ReadFrom(int& descriptor, std::string& text) {
    pollfd waiting = {descriptor, POLLIN, 0};
    if (descriptor < 0 || poll(&waiting, 1, 0) != 1) return;
    char buffer[4096];
    const ssize_t length = read(descriptor, buffer, sizeof(buffer));
    if (length > 0 && text.size() < kMostErrorBytes) {
      text.append(buffer, static_cast<size_t>(length));
    }
    if (length == 0 || (length < 0 && errno != EINTR)) Close(descriptor);
  }

  pid_t process_ = -1;
  int output_ = -1;  // -1: at its end
  int errors_ = -1;
  steady_clock::time_point deadline_;
  WorkerEnding ending_;
};

// Until one has something to say, one is due, or the user interrupts.
void WaitForAny(const std::vector<Worker>& workers, const Interrupt& interrupt,
                bool interrupted) {
  std::vector<pollfd> waiting;
  auto next = steady_clock::now() + std::chrono::minutes(1);
  for (const Worker& worker : workers) {
    if (!worker.Runs()) continue;
    waiting.push_back(worker.OutputPoll());
    waiting.push_back(worker.ErrorsPoll());
    next = std::min(next, worker.deadline());
  }
  // From the first signal on it is no news.
  if (!interrupted) waiting.push_back({interrupt.descriptor(), POLLIN, 0});
  const auto left =
      std::chrono::ceil<milliseconds>(next - steady_clock::now()).count();
  poll(waiting.data(), waiting.size(),
       static_cast<int>(std::max<int64_t>(left, 0)));
}

}  // namespace

Interrupt::Interrupt() {
  // Blocked signals also arrive here when they are ignored, as SIGINT is in the
  // background jobs of scripts.
  const sigset_t handled = Handled();
  sigprocmask(SIG_BLOCK, &handled, nullptr);
  descriptor_ = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool Interrupt::Requested() {
  signalfd_siginfo info;
  while (read(descriptor_, &info, sizeof(info)) == sizeof(info)) {
    requested_ = true;
  }
  return requested_;
}

std::vector<WorkerEnding> RunWorkers(const std::vector<WorkerCommand>& commands,
                                     Interrupt& interrupt) {
  std::vector<Worker> workers;
  for (const WorkerCommand& command : commands) workers.emplace_back(command);
  bool interrupted = false;
  while (std::any_of(workers.begin(), workers.end(),
                     [](const Worker& worker) { return worker.Runs(); })) {
    WaitForAny(workers, interrupt, interrupted);
    const bool first = !interrupted && interrupt.Requested();
    for (Worker& worker : workers) {
      if (first) worker.AskToEnd();
      worker.Read();
      worker.KillWhenDue();
    }
    interrupted = interrupted || first;
  }
  std::vector<WorkerEnding> endings;
  for (Worker& worker : workers) endings.push_back(worker.End());
  return endings;
}

}  // namespace hakmem::soak
