#include "tools/subprocess/subprocess.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tools/subprocess/start_process.h"

namespace hakmem::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

// How often to look for an end where there is no pidfd (before Linux 5.3).
constexpr auto kLookEvery = milliseconds(5);
// The longest wait for anything, so that it fits poll's int.
constexpr auto kLongestWait = std::chrono::minutes(1);

Descriptor OpenProcess(pid_t pid) {
#ifdef SYS_pidfd_open
  return Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
#else
  (void)pid;
  return Descriptor();
#endif
}

nanoseconds Nanoseconds(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) +
         std::chrono::microseconds(time.tv_usec);
}

steady_clock::time_point DeadlineOf(const Command& command) {
  if (!command.time_limit) return steady_clock::time_point::max();
  return steady_clock::now() + *command.time_limit;
}

// Reads once what is there, up to what a pipe holds. Closes the stream at its
// end.
void ReadAvailable(Descriptor& stream, size_t most, std::string& text) {
  if (!stream.open()) return;
  char buffer[65536];
  const ssize_t length = read(stream.number(), buffer, sizeof(buffer));
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0) {
    stream.Close();
    return;
  }
  const size_t room = most - std::min(most, text.size());
  text.append(buffer, std::min(room, static_cast<size_t>(length)));
}

}  // namespace

int ProcessResult::ShellStatus() const {
  switch (ending) {
    case kExited:
      return code;
    case kSignaled:
      return 128 + code;
    case kTimedOut:
      return 128 + SIGKILL;
    case kNotStarted:
      return code == ENOENT ? 127 : 126;
    case kUnknown:
      break;
  }
  return 126;
}

std::string ProcessResult::Describe() const {
  switch (ending) {
    case kExited:
      return "exit status " + std::to_string(code);
    case kSignaled:
      return "killed by signal " + std::to_string(code) + " (" +
             strsignal(code) + ")";
    case kTimedOut:
      return "took too long";
    case kNotStarted:
      return problem;
    case kUnknown:
      break;
  }
  return "its exit status is unknown";
}

Subprocess::Subprocess(const Command& command)
    : Subprocess(command, std::function<void()>()) {}

Subprocess::Subprocess(const Command& command,
                       const std::function<void()>& body)
    : own_group_(command.own_group),
      most_captured_(command.most_captured),
      start_(steady_clock::now()),
      deadline_(DeadlineOf(command)) {
  StartedProcess started = StartProcess(command, body ? &body : nullptr);
  if (started.pid == 0) {
    result_.ending = ProcessResult::kNotStarted;
    result_.code = started.error;
    result_.problem = std::move(started.problem);
    return;
  }
  running_ = true;
  pid_ = started.pid;
  process_ = OpenProcess(pid_);
  output_ = std::move(started.output);
  errors_ = std::move(started.errors);
}

Subprocess::~Subprocess() {
  if (!running_) return;
  Kill();
  Wait();
}

bool Subprocess::Running() {
  Update();
  return running_;
}

const ProcessResult& Subprocess::Wait() {
  Subprocess* const self = this;
  while (running_) WaitForAny({&self, 1});
  return result_;
}

void Subprocess::WaitForAny(std::span<Subprocess* const> processes,
                            int descriptor) {
  std::vector<pollfd> waiting;
  auto until = steady_clock::now() + kLongestWait;
  const auto add = [&](int number) {
    if (number >= 0) waiting.push_back({number, POLLIN, 0});
  };
  bool any = false;
  for (Subprocess* const process : processes) {
    if (!process->running_) continue;
    any = true;
    add(process->output_.number());
    add(process->errors_.number());
    until = std::min(until, process->deadline_);
    if (process->exited_) continue;
    add(process->process_.number());
    if (!process->process_.open()) {
      until = std::min(until, steady_clock::now() + kLookEvery);
    }
  }
  if (!any) return;
  add(descriptor);
  const auto left =
      std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
  poll(waiting.data(), waiting.size(),
       static_cast<int>(std::max<int64_t>(left, 0)));
  for (Subprocess* const process : processes) process->Update();
}

void Subprocess::Signal(int signal) {
  // Until it is waited for, the number is no other process's.
  if (running_) kill(pid_, signal);
}

void Subprocess::Kill() {
  if (!running_) return;
  killed_ = true;
  if (own_group_) kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);
}

void Subprocess::KillAt(steady_clock::time_point deadline) {
  deadline_ = std::min(deadline_, deadline);
}

void Subprocess::Update() {
  if (!running_) return;
  CheckExit();
  // After the look for an end, so that of one that was killed all is read.
  ReadAvailable(output_, most_captured_, result_.output);
  ReadAvailable(errors_, most_captured_, result_.errors);
  if ((!exited_ || output_.open() || errors_.open()) &&
      steady_clock::now() >= deadline_) {
    Kill();
    result_.ending = ProcessResult::kTimedOut;
    WaitUntilExit();
  }
  if (exited_ && killed_) {
    // What it has started may have left its group and keep the streams open.
    output_.Close();
    errors_.Close();
  }
  if (exited_ && !output_.open() && !errors_.open()) Reap();
}

void Subprocess::CheckExit() {
  if (exited_) return;
  // Left waitable: while its streams are open, its number must stay its own.
  siginfo_t info = {};
  const int result = waitid(P_PID, static_cast<id_t>(pid_), &info,
                            WEXITED | WNOHANG | WNOWAIT);
  if (result == 0 && info.si_pid == 0) return;
  if (result != 0 && errno == EINTR) return;
  exited_ = true;
  result_.wall_time = steady_clock::now() - start_;
}

void Subprocess::WaitUntilExit() {
  siginfo_t info;
  while (!exited_ &&
         waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) !=
             0 &&
         errno == EINTR) {
  }
  CheckExit();
}

void Subprocess::Reap() {
  running_ = false;
  process_.Close();
  int status = 0;
  rusage usage = {};
  pid_t reaped;
  do {
    reaped = wait4(pid_, &status, 0, &usage);
  } while (reaped < 0 && errno == EINTR);
  if (reaped != pid_) return;
  result_.user_time = Nanoseconds(usage.ru_utime);
  result_.system_time = Nanoseconds(usage.ru_stime);
  result_.peak_resident_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  result_.minor_faults = static_cast<uint64_t>(usage.ru_minflt);
  result_.major_faults = static_cast<uint64_t>(usage.ru_majflt);
  if (result_.ending == ProcessResult::kTimedOut) return;
  const bool exited = WIFEXITED(status);
  result_.ending = exited ? ProcessResult::kExited : ProcessResult::kSignaled;
  result_.code = exited ? WEXITSTATUS(status) : WTERMSIG(status);
}

ProcessResult RunProcess(const Command& command) {
  return Subprocess(command).Wait();
}

}  // namespace hakmem::tools
