#include "benchmarks/harness/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace hakmem::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Both ends are closed in children by exec.
struct Pipe {
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0) ends[0] = ends[1] = -1;
  }
  ~Pipe() {
    for (const int end : ends) {
      if (end >= 0) close(end);
    }
  }
  void CloseWriter() {
    close(ends[1]);
    ends[1] = -1;
  }
  int ends[2];
};

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) {
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

// This process's, with `changes` in place of what it has of the same names; a
// change that has no '=' takes its name out.
std::vector<std::string> Environment(const std::vector<std::string>& changes) {
  const auto name = [](std::string_view variable) {
    return variable.substr(0, variable.find('='));
  };
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::none_of(changes.begin(), changes.end(),
                     [&](const std::string& change) {
                       return name(change) == name(*entry);
                     })) {
      variables.push_back(*entry);
    }
  }
  for (const std::string& change : changes) {
    if (absl::StrContains(change, '=')) variables.push_back(change);
  }
  return variables;
}

// In the child, between fork and exec: system calls only. Does not return.
void Become(const std::vector<char*>& arguments,
            const std::vector<char*>& environment, const Pipe& output,
            const Pipe& errors, pid_t parent, const sigset_t& mask) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // the parent has gone already
  // Out of the terminal's foreground group: Ctrl-C reaches the parent only,
  // and it decides what becomes of this process.
  setpgid(0, 0);
  dup2(output.ends[1], STDOUT_FILENO);
  dup2(errors.ends[1], STDERR_FILENO);
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execve(arguments[0], arguments.data(), environment.data());
  const std::string_view message = strerror(errno);
  if (write(STDERR_FILENO, message.data(), message.size()) < 0) _exit(126);
  _exit(127);
}

// Reads what is there; false at the end of the stream.
bool Drain(int descriptor, std::string& text) {
  char buffer[4096];
  const ssize_t length = read(descriptor, buffer, sizeof(buffer));
  if (length < 0) return errno == EINTR || errno == EAGAIN;
  text.append(buffer, static_cast<size_t>(length));
  return length != 0;
}

}  // namespace

Interrupt::Interrupt() {
  // Blocked signals also arrive here when they are ignored, as SIGINT is in the
  // background jobs of scripts.
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGINT);
  sigaddset(&mask, SIGTERM);
  sigprocmask(SIG_BLOCK, &mask, &former_mask_);
  descriptor_ = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

Interrupt::~Interrupt() {
  Requested();  // takes what is pending, so that unblocking does not kill
  close(descriptor_);
  sigprocmask(SIG_SETMASK, &former_mask_, nullptr);
}

bool Interrupt::Requested() {
  signalfd_siginfo info;
  while (read(descriptor_, &info, sizeof(info)) == sizeof(info)) {
    requested_ = true;
  }
  return requested_;
}

std::string ProcessResult::Describe() const {
  const std::string first_line = errors.substr(0, errors.find('\n'));
  std::string what;
  switch (ending) {
    case kExited:
      what = absl::StrCat("exit status ", code);
      break;
    case kKilled:
      what =
          absl::StrCat("killed by signal ", code, " (", strsignal(code), ")");
      break;
    case kInterrupted:
      what = "interrupted";
      break;
    case kTimedOut:
      what = "took too long";
      break;
    case kNotStarted:
      what = absl::StrCat("cannot start: ", strerror(code));
      break;
  }
  return first_line.empty() ? what : absl::StrCat(what, ": ", first_line);
}

ProcessResult RunProcess(const std::vector<std::string>& arguments,
                         const std::string& preload, milliseconds limit,
                         Interrupt& interrupt,
                         const std::vector<std::string>& variables) {
  ProcessResult result;
  if (interrupt.Requested()) {
    result.ending = ProcessResult::kInterrupted;
    return result;
  }
  Pipe output;
  Pipe errors;
  const std::vector<char*> argument_pointers = Pointers(arguments);
  std::vector<std::string> changes = variables;
  changes.push_back(preload.empty() ? "LD_PRELOAD" : "LD_PRELOAD=" + preload);
  const std::vector<std::string> environment = Environment(changes);
  const std::vector<char*> environment_pointers = Pointers(environment);
  const pid_t parent = getpid();
  const pid_t child = output.ends[0] < 0 || errors.ends[0] < 0 ? -1 : fork();
  if (child < 0) {
    result.code = errno;
    return result;
  }
  if (child == 0) {
    Become(argument_pointers, environment_pointers, output, errors, parent,
           interrupt.former_mask());
  }
  output.CloseWriter();
  errors.CloseWriter();

  pollfd waiting[] = {{output.ends[0], POLLIN, 0},
                      {errors.ends[0], POLLIN, 0},
                      {interrupt.descriptor(), POLLIN, 0}};
  const auto deadline = steady_clock::now() + limit;
  result.ending = ProcessResult::kExited;
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    const auto left = std::chrono::duration_cast<milliseconds>(
        deadline - steady_clock::now());
    // At most a minute at a time, so that the count fits an int.
    const int wait_ms =
        static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000));
    const int ready = poll(waiting, 3, wait_ms);
    if (interrupt.Requested()) {
      result.ending = ProcessResult::kInterrupted;
      break;
    }
    if (steady_clock::now() >= deadline) {
      result.ending = ProcessResult::kTimedOut;
      break;
    }
    if (ready <= 0) continue;  // nothing to read; revents may be stale
    // A negative descriptor takes a finished stream out of the poll.
    if (waiting[0].revents != 0 && !Drain(waiting[0].fd, result.output)) {
      waiting[0].fd = -1;
    }
    if (waiting[1].revents != 0 && !Drain(waiting[1].fd, result.errors)) {
      waiting[1].fd = -1;
    }
  }
  if (result.ending != ProcessResult::kExited) {
    // Its group (see Become), and itself in case it is not there yet.
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (result.ending == ProcessResult::kExited) {
    if (WIFSIGNALED(status)) {
      result.ending = ProcessResult::kKilled;
      result.code = WTERMSIG(status);
    } else {
      result.code = WEXITSTATUS(status);
    }
  }
  return result;
}

}  // namespace hakmem::bench
