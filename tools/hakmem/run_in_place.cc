#include "tools/hakmem/run_in_place.h"

#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "tools/command_line/command_line.h"

namespace hakmem::tools {

int Fail(std::string_view message, int status) {
  std::cerr << "hakmem: " << message << std::endl;
  return status;
}

int EnterForRun(const std::string& library) {
  if (library.find_first_of(" :") != std::string::npos) {
    return Fail(absl::StrCat(library,
                             ": LD_PRELOAD cannot hold a path with a "
                             "space or a colon"),
                2);
  }
  const std::filesystem::path directory = UserDirectory();
  if (!directory.empty() && chdir(directory.c_str()) != 0) {
    return Fail(absl::StrCat("cannot enter ", directory.string(), ": ",
                             strerror(errno)),
                126);
  }
  return 0;
}

std::string Preload(const std::string& library) {
  const char* const others = std::getenv("LD_PRELOAD");
  const bool alone = others == nullptr || *others == '\0';
  return absl::StrCat("LD_PRELOAD=", library, alone ? "" : ":",
                      alone ? "" : others);
}

ProcessResult RunInPlace(Command command, PassedSignals& signals, pid_t* pid) {
  command.input = command.output = command.errors = Stream::Inherit();
  command.own_group = false;
  command.end_with_parent = false;
  command.signals = &signals.former();
  Subprocess process(command);
  if (pid != nullptr) *pid = process.pid();
  Subprocess* const one = &process;
  while (process.Running()) {
    Subprocess::WaitForAny({&one, 1}, signals.descriptor());
    while (const auto signal = signals.Take()) {
      // What the terminal or the kernel sends went to the whole group, and a
      // pipe without a reader is this program's own.
      if (signal->ssi_code > 0 || signal->ssi_signo == SIGPIPE) continue;
      process.Signal(static_cast<int>(signal->ssi_signo));
    }
  }
  return process.result();
}

}  // namespace hakmem::tools
