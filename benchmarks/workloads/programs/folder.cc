#include "benchmarks/workloads/programs/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "benchmarks/worker/worker.h"
#include "benchmarks/workloads/programs/environment.h"

namespace hakmem::bench {
namespace {

std::string Parent() {
  for (const char* const name : {"TEST_TMPDIR", "TMPDIR"}) {
    const char* const value = getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "/tmp";
}

// In a child that shares nothing with the worker but the pipe: waits until the
// worker closes its end, at the latest by ending, and removes the folder. A
// program that the worker leaves behind may still be writing: several tries.
// System calls only, as after any fork. rm is not to be measured: it has no
// environment, so nothing is preloaded.
[[noreturn]] void RemoveAtEnd(const char* path, const int (&ends)[2]) {
  setpgid(0, 0);  // what a terminal sends to the worker is not for this one
  const int null = open("/dev/null", O_RDWR);
  for (int stream = 0; stream <= 2; ++stream) dup2(null, stream);
  close(ends[1]);
  char byte;
  while (read(ends[0], &byte, 1) < 0 && errno == EINTR) {
  }
  if (chdir("/") != 0) _exit(1);
  for (int tries = 0; tries < 20; ++tries) {
    const pid_t child = fork();
    if (child == 0) {
      char* const nothing[] = {nullptr};
      execle("/bin/rm", "rm", "-rf", "--", path, nullptr, nothing);
      _exit(127);
    }
    waitpid(child, nullptr, 0);
    struct stat status;
    if (stat(path, &status) != 0) _exit(0);
    usleep(100'000);
  }
  _exit(1);
}

}  // namespace

Folder::Folder() {
  // The process is about to be elsewhere.
  MakePreloadAbsolute();
  char* const parent = realpath(Parent().c_str(), nullptr);
  path_ = std::string(parent == nullptr ? Parent() : parent) +
          "/programs_worker.XXXXXX";
  free(parent);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0 || mkdtemp(path_.data()) == nullptr) {
    Die(kCannotRun, "cannot make the folder %s: %s", path_.c_str(),
        strerror(errno));
  }
  remover_ = fork();
  if (remover_ == 0) RemoveAtEnd(path_.c_str(), ends);
  if (remover_ < 0) {
    rmdir(path_.c_str());
    Die(kCannotRun, "cannot fork: %s", strerror(errno));
  }
  close(ends[0]);
  alive_ = ends[1];
  if (chdir(path_.c_str()) != 0) {
    Die(kCannotRun, "cannot enter %s: %s", path_.c_str(), strerror(errno));
  }
}

Folder::~Folder() {
  if (chdir("/") != 0) Die(kCannotRun, "cannot enter /: %s", strerror(errno));
  close(alive_);
  int status = 0;
  while (waitpid(remover_, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) Die(kCannotRun, "cannot remove %s", path_.c_str());
}

FileWriter::FileWriter(const std::string& name)
    : name_(name), file_(fopen(name.c_str(), "we")) {
  if (file_ == nullptr) Fail();
}

FileWriter::~FileWriter() {
  FILE* const file = static_cast<FILE*>(file_);
  if (ferror(file) != 0 || fclose(file) != 0) Fail();
}

void FileWriter::Fail() const {
  Die(kCannotRun, "cannot write %s: %s", name_.c_str(), strerror(errno));
}

void FileWriter::Write(const std::string& text) {
  fwrite(text.data(), 1, text.size(), static_cast<FILE*>(file_));
}

void FileWriter::Printf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(static_cast<FILE*>(file_), format, arguments);
  va_end(arguments);
}

void WriteFile(const std::string& name, const std::string& text) {
  FileWriter(name).Write(text);
}

std::string ReadFile(const std::string& name) {
  std::string text;
  FILE* const file = fopen(name.c_str(), "re");
  if (file == nullptr) return text;
  char buffer[4096];
  for (size_t length; (length = fread(buffer, 1, sizeof(buffer), file)) != 0;) {
    text.append(buffer, length);
  }
  fclose(file);
  return text;
}

}  // namespace hakmem::bench
