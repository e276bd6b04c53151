#include "tools/subprocess/start_process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace hakmem::tools {
namespace {

// What the child reports when it could not become the program.
struct StartError {
  enum Step : int { kStream, kFolder, kLimit, kCpus, kProgram };
  Step step;
  int error;
};

// Standard streams that are closed here leave their numbers to whatever is
// opened next, where the child's dup2 would overwrite it.
Descriptor AboveStandardStreams(Descriptor descriptor) {
  if (!descriptor.open() || descriptor.number() > STDERR_FILENO) {
    return descriptor;
  }
  return Descriptor(
      fcntl(descriptor.number(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

struct Pipe {
  Descriptor reader;
  Descriptor writer;
};

// Both ends are closed by exec. False with errno.
bool MakePipe(Pipe& pipe) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  Descriptor writer(ends[1]);
  pipe.reader = AboveStandardStreams(Descriptor(ends[0]));
  pipe.writer = AboveStandardStreams(std::move(writer));
  return pipe.reader.open() && pipe.writer.open();
}

// A file in memory that holds `text`, at its beginning.
Descriptor OpenText(const std::string& text) {
  Descriptor file(memfd_create("input", MFD_CLOEXEC));
  if (!file.open()) return file;
  for (size_t written = 0; written < text.size();) {
    const ssize_t length =
        write(file.number(), text.data() + written, text.size() - written);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return Descriptor();
    written += static_cast<size_t>(length);
  }
  if (lseek(file.number(), 0, SEEK_SET) != 0) return Descriptor();
  return file;
}

Descriptor OpenFile(const std::string& path, int flags) {
  return Descriptor(open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0600));
}

// What the child has in place of its standard streams; none: inherited.
class Streams {
 public:
  // False with `started` saying why.
  bool Open(const Command& command, StartedProcess& started) {
    return OpenOne(command.input, O_RDONLY, 0, started, nullptr) &&
           OpenOne(command.output, O_WRONLY, 1, started, &started.output) &&
           OpenOne(command.errors, O_WRONLY, 2, started, &started.errors);
  }

  // In the child. False with errno.
  bool Install() const {
    for (int stream = 0; stream <= STDERR_FILENO; ++stream) {
      const int source = same_as_output_ && stream == STDERR_FILENO
                             ? STDOUT_FILENO
                             : streams_[stream].number();
      if (source >= 0 && dup2(source, stream) < 0) return false;
    }
    return true;
  }

 private:
  bool OpenOne(const Stream& stream, int mode, int number,
               StartedProcess& started, Descriptor* captured) {
    Descriptor& end = streams_[number];
    std::string what;
    switch (stream.kind) {
      case Stream::kInherit:
        return true;
      case Stream::kOutput:
        same_as_output_ = true;
        return true;
      case Stream::kNull:
        what = "/dev/null";
        end = OpenFile(what, mode);
        break;
      case Stream::kFile:
        what = stream.text;
        end = OpenFile(
            what, mode == O_RDONLY ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC);
        break;
      case Stream::kAppend:
        what = stream.text;
        end = OpenFile(what, O_WRONLY | O_CREAT | O_APPEND);
        break;
      case Stream::kText:
        what = "a file in memory";
        end = OpenText(stream.text);
        break;
      case Stream::kCapture: {
        what = "a pipe";
        Pipe pipe;
        errno = EINVAL;  // of a command that would capture its input
        if (captured != nullptr && MakePipe(pipe)) {
          fcntl(pipe.reader.number(), F_SETFL, O_NONBLOCK);
          *captured = std::move(pipe.reader);
          end = std::move(pipe.writer);
        }
      }
    }
    end = AboveStandardStreams(std::move(end));
    if (end.open()) return true;
    started.error = errno;
    started.problem = "cannot open " + what + ": " + strerror(started.error);
    return false;
  }

  Descriptor streams_[3];
  bool same_as_output_ = false;
};

// As exec wants them: pointers to the characters, and a null one.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) {
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentOf(const Command& command) {
  std::vector<std::string> variables;
  if (command.inherit_environment) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      variables.emplace_back(*entry);
    }
  }
  const auto name = [](std::string_view variable) {
    return variable.substr(0, variable.find('='));
  };
  for (const std::string& change : command.variables) {
    std::erase_if(variables, [&](const std::string& variable) {
      return name(variable) == name(change);
    });
    if (change.find('=') != std::string::npos) variables.push_back(change);
  }
  return variables;
}

bool IsExecutable(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

// As FindProgram, but says by `error` why there is none.
std::string FindProgram(std::string_view name, int& error) {
  error = ENOENT;
  if (name.empty()) return "";
  if (name.find('/') != std::string_view::npos) return std::string(name);
  const char* const value = getenv("PATH");
  std::string_view rest = value == nullptr ? "/bin:/usr/bin" : value;
  for (;;) {
    const size_t colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    std::string path(folder.empty() ? "." : folder);
    path.append("/").append(name);
    if (IsExecutable(path)) {
      error = 0;
      return path;
    }
    // A file that is there but cannot be executed is the better explanation.
    if (access(path.c_str(), F_OK) == 0) error = EACCES;
    if (colon == std::string_view::npos) return "";
    rest.remove_prefix(colon + 1);
  }
}

// Everything that the child needs, made before the fork: between fork and exec
// no memory may be allocated.
class Child {
 public:
  Child(const Command& command, const Streams& streams, int report)
      : command_(command),
        streams_(streams),
        report_(report),
        parent_(getpid()) {
    CPU_ZERO(&cpus_);
    for (const int cpu : command.cpus) CPU_SET(cpu, &cpus_);
  }

  // False with `error` when there is no such program.
  bool FindProgramFile(int& error) {
    const std::string& name =
        command_.program.empty() && !command_.arguments.empty()
            ? command_.arguments[0]
            : command_.program;
    program_ = FindProgram(name, error);
    environment_ = EnvironmentOf(command_);
    arguments_ = command_.arguments;
    // For a script without an interpreter line, as shells and execvp run it.
    script_arguments_ = {"/bin/sh", program_};
    if (!arguments_.empty()) {
      script_arguments_.insert(script_arguments_.end(), arguments_.begin() + 1,
                               arguments_.end());
    }
    argument_pointers_ = Pointers(arguments_);
    script_pointers_ = Pointers(script_arguments_);
    environment_pointers_ = Pointers(environment_);
    return !program_.empty();
  }

  // In the child: async-signal-safe calls only, but for `body`.
  [[noreturn]] void Run(const std::function<void()>* body) const {
    if (command_.end_with_parent) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent_) _exit(127);  // the parent has ended already
    }
    if (command_.own_group) setpgid(0, 0);
    if (!streams_.Install()) Fail(StartError::kStream);
    if (!command_.working_folder.empty() &&
        chdir(command_.working_folder.c_str()) != 0) {
      Fail(StartError::kFolder);
    }
    if (!command_.cpus.empty() &&
        sched_setaffinity(0, sizeof(cpus_), &cpus_) != 0) {
      Fail(StartError::kCpus);
    }
    if (command_.signals != nullptr) {
      sigaction(SIGCHLD, &command_.signals->child, nullptr);
      sigprocmask(SIG_SETMASK, &command_.signals->mask, nullptr);
    }
    for (const auto& [resource, limit] : command_.limits) {
      if (setrlimit(static_cast<decltype(RLIMIT_AS)>(resource), &limit) != 0) {
        Fail(StartError::kLimit);
      }
    }
    if (body != nullptr) {
      close(report_);
      (*body)();
      _exit(0);
    }
    execve(program_.c_str(), argument_pointers_.data(),
           environment_pointers_.data());
    if (errno == ENOEXEC) {
      execve(script_pointers_[0], script_pointers_.data(),
             environment_pointers_.data());
    }
    Fail(StartError::kProgram);
  }

 private:
  [[noreturn]] void Fail(StartError::Step step) const {
    const StartError report = {step, errno};
    // Where nobody reads it, the status alone has to tell.
    if (write(report_, &report, sizeof(report)) < 0) _exit(126);
    _exit(127);
  }

  const Command& command_;
  const Streams& streams_;
  const int report_;
  const pid_t parent_;
  cpu_set_t cpus_;
  std::string program_;
  std::vector<std::string> arguments_;
  std::vector<std::string> script_arguments_;
  std::vector<std::string> environment_;
  std::vector<char*> argument_pointers_;
  std::vector<char*> script_pointers_;
  std::vector<char*> environment_pointers_;
};

std::string NameOf(const Command& command) {
  if (!command.program.empty()) return command.program;
  return command.arguments.empty() ? "nothing" : command.arguments[0];
}

std::string Explain(StartError::Step step, const Command& command) {
  switch (step) {
    case StartError::kStream:
      return "cannot redirect a stream";
    case StartError::kFolder:
      return "cannot enter " + command.working_folder;
    case StartError::kLimit:
      return "cannot set a limit";
    case StartError::kCpus:
      return "cannot choose the CPUs";
    case StartError::kProgram:
      break;
  }
  return "cannot run " + NameOf(command);
}

StartedProcess NotStarted(int error, const std::string& what) {
  StartedProcess started;
  started.error = error;
  started.problem = what + ": " + strerror(error);
  return started;
}

// False when the child became what it should be.
bool ReadStartError(const Descriptor& report, StartError& error) {
  ssize_t length;
  do {
    length = read(report.number(), &error, sizeof(error));
  } while (length < 0 && errno == EINTR);
  return length == sizeof(error);
}

}  // namespace

std::string FindProgram(std::string_view name) {
  int error;
  return FindProgram(name, error);
}

// fork, not vfork or posix_spawn: a child that shares its parent's memory until
// exec has the parent's peak as its own (ru_maxrss), and posix_spawn sets
// neither limits nor PR_SET_PDEATHSIG.
StartedProcess StartProcess(const Command& command,
                            const std::function<void()>* body) {
  StartedProcess started;
  Streams streams;
  if (!streams.Open(command, started)) return started;
  Pipe report;
  if (!MakePipe(report)) return NotStarted(errno, "cannot open a pipe");
  Child child(command, streams, report.writer.number());
  int error;
  if (body == nullptr && !child.FindProgramFile(error)) {
    return NotStarted(error, Explain(StartError::kProgram, command));
  }
  const pid_t pid = fork();
  if (pid == 0) child.Run(body);
  if (pid < 0) return NotStarted(errno, "cannot start a process");
  report.writer.Close();
  StartError start_error;
  if (ReadStartError(report.reader, start_error)) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return NotStarted(start_error.error, Explain(start_error.step, command));
  }
  started.pid = pid;
  return started;
}

}  // namespace hakmem::tools
