// What `hakmem` says when the command has ended, made from the lines of JSON
// that the library wrote meanwhile (HAKMEM_STATS_AT_EXIT, HAKMEM_ACE_TRACE).
#ifndef HAKMEM_TOOLS_HAKMEM_HAKMEM_SUMMARY_H_
#define HAKMEM_TOOLS_HAKMEM_HAKMEM_SUMMARY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/subprocess/subprocess.h"

namespace hakmem::tools {

// One process, as its line of statistics has it. Bytes.
struct ProcessFigures {
  uint64_t pid = 0;
  std::string program;
  uint64_t peak_resident = 0;
  uint64_t live = 0;  // when it ended, as the two below
  uint64_t cached = 0;
  uint64_t committed = 0;
  uint64_t failures = 0;  // requests that failed
  // Whether the figures are known: a process that ended by _exit or a signal,
  // or became a program without the library, has left none.
  bool has_figures = true;
};

// Reads the lines of statistics; what is no JSON object is skipped. A process
// that wrote only that it begins is there without figures.
std::vector<ProcessFigures> ParseFigures(std::string_view lines);

// Requests that failed for one reason: `text` says which and why, and what to
// do about it.
struct FailureKind {
  std::string text;
  uint64_t count = 0;
  std::vector<std::string> stack;  // of the newest; empty when not recorded.
                                   // Names as in the program's text
};

struct FailureList {
  std::vector<FailureKind> kinds;  // in the order of each one's newest
  uint64_t dropped = 0;            // failures that the library did not log
};

// Reads the lines of the failure trace; what is no JSON object is skipped.
FailureList ParseFailures(std::string_view lines);

struct CommandRun {
  std::string command;  // for people
  std::string library;  // its file's name
  ProcessResult ending;
  std::vector<ProcessFigures> processes;
  FailureList failures;
};

// What to print on stderr; empty when all went well and no statistics are
// wanted. Ends with a newline otherwise.
std::string Summarize(const CommandRun& run, bool stats_wanted);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HAKMEM_HAKMEM_SUMMARY_H_
