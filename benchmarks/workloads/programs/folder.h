// Where programs find their inputs and leave their files.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_FOLDER_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_FOLDER_H_

#include <sys/types.h>

#include <string>

namespace hakmem::bench {

// A fresh folder under $TEST_TMPDIR, $TMPDIR or /tmp that is the working
// directory as long as this exists. It goes away however the process ends, also
// when it is killed: another process waits for that. One at a time.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

 private:
  std::string path_;
  int alive_;      // closed when this process ends: the remover sees that
  pid_t remover_;  // the process that removes the folder
};

// Writes a file; ends the process (kCannotRun) when that is not possible.
class FileWriter {
 public:
  explicit FileWriter(const std::string& name);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void Write(const std::string& text);
  void Printf(const char* format, ...) __attribute__((format(printf, 2, 3)));

 private:
  [[noreturn]] void Fail() const;
  const std::string name_;
  void* const file_;  // a FILE
};

void WriteFile(const std::string& name, const std::string& text);

// Empty when there is no such file.
std::string ReadFile(const std::string& name);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_FOLDER_H_
