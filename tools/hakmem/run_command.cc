#include "tools/hakmem/run_command.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace hakmem::tools {
namespace {

constexpr int kPassedOn[] = {SIGINT, SIGQUIT, SIGTERM,
                             SIGHUP, SIGUSR1, SIGUSR2};

// As exec wants them: to the characters, a null pointer behind.
std::vector<char*> ExecList(const std::vector<std::string>& strings) {
  std::vector<char*> list(strings.size() + 1, nullptr);
  std::transform(
      strings.begin(), strings.end(), list.begin(),
      [](const std::string& text) { return const_cast<char*>(text.c_str()); });
  return list;
}

// The error that the child wrote before it ended; 0 when it became the command.
int ReadStartError(int pipe) {
  int error = 0;
  ssize_t length;
  do {
    length = read(pipe, &error, sizeof(error));
  } while (length < 0 && errno == EINTR);
  return length == sizeof(error) ? error : 0;
}

void WaitFor(pid_t child, HeldSignals& signals, Ending& ending) {
  for (;;) {
    const siginfo_t info = signals.Wait();
    if (info.si_signo != SIGCHLD) {
      // What the terminal or the kernel sends went to the whole group.
      if (info.si_code <= 0) kill(child, info.si_signo);
      continue;
    }
    int status = 0;
    if (waitpid(child, &status, WNOHANG) != child) continue;
    if (WIFSIGNALED(status)) {
      ending.signal = WTERMSIG(status);
    } else {
      ending.exit_code = WEXITSTATUS(status);
    }
    return;
  }
}

}  // namespace

HeldSignals::HeldSignals() {
  sigemptyset(&set_);
  for (const int signal : kPassedOn) sigaddset(&set_, signal);
  sigaddset(&set_, SIGCHLD);
  // Where SIGCHLD was ignored, there would be nothing to wait for.
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &action, &former_child_action_);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, &former_pipe_action_);
  sigprocmask(SIG_BLOCK, &set_, &former_mask_);
}

void HeldSignals::Restore() {
  sigaction(SIGCHLD, &former_child_action_, nullptr);
  sigaction(SIGPIPE, &former_pipe_action_, nullptr);
  sigprocmask(SIG_SETMASK, &former_mask_, nullptr);
}

siginfo_t HeldSignals::Wait() {
  siginfo_t info = {};
  while (sigwaitinfo(&set_, &info) < 0 && errno == EINTR) {
  }
  return info;
}

int Ending::ShellStatus() const {
  if (start_error != 0) return start_error == ENOENT ? 127 : 126;
  return signal != 0 ? 128 + signal : exit_code;
}

Ending RunCommand(const std::vector<std::string>& command,
                  const std::vector<std::string>& environment,
                  HeldSignals& signals) {
  Ending ending;
  const std::vector<char*> arguments = ExecList(command);
  const std::vector<char*> variables = ExecList(environment);
  const auto begin = std::chrono::steady_clock::now();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    ending.start_error = errno;
    return ending;
  }
  const pid_t child = fork();
  if (child < 0) {
    ending.start_error = errno;
    close(ends[0]);
    close(ends[1]);
    return ending;
  }
  if (child == 0) {
    signals.Restore();
    execvpe(arguments[0], arguments.data(), variables.data());
    const int error = errno;
    // Without a reader the status alone has to tell.
    if (write(ends[1], &error, sizeof(error)) < 0) _exit(126);
    _exit(127);
  }
  close(ends[1]);
  ending.start_error = ReadStartError(ends[0]);
  close(ends[0]);
  WaitFor(child, signals, ending);
  ending.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  return ending;
}

}  // namespace hakmem::tools
