#include <algorithm>
#include <string>
#include <vector>

#include "benchmarks/workloads/programs/child.h"
#include "benchmarks/workloads/programs/draw.h"
#include "benchmarks/workloads/programs/folder.h"
#include "benchmarks/workloads/programs/programs.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kCommits = 400;
constexpr uint32_t kFiles = 60;
constexpr int kChangesPerCommit = 3;

std::string Line(Draw& draw) {
  std::string line;
  for (int word = 0; word < 12; ++word) {
    line += "word" + std::to_string(draw.Below(3000)) + ' ';
  }
  line += '\n';
  return line;
}

// Files of some lines each, in which some lines are added or changed with every
// commit, as a stream for git fast-import.
void WriteHistory(const std::string& name, uint64_t seed, uint64_t commits) {
  Draw draw(seed);
  std::vector<std::vector<std::string>> files(kFiles);
  FileWriter stream(name);
  for (uint64_t commit = 0; commit < commits; ++commit) {
    const std::string message = "Change " + std::to_string(commit) + "\n";
    stream.Printf(
        "commit refs/heads/main\n"
        "committer Nobody <nobody@example.com> %zu +0000\n"
        "data %zu\n%s",
        static_cast<size_t>(1'700'000'000 + commit), message.size(),
        message.c_str());
    for (int change = 0; change < kChangesPerCommit; ++change) {
      const uint32_t number = draw.Below(kFiles);
      std::vector<std::string>& lines = files[number];
      for (int i = 0; i < 10; ++i) lines.push_back(Line(draw));
      lines[draw.Below(static_cast<uint32_t>(lines.size()))] = Line(draw);
      std::string content;
      for (const std::string& line : lines) content += line;
      stream.Printf("M 100644 inline folder%u/file%u\ndata %zu\n%s\n",
                    number % 7, number, content.size(), content.c_str());
    }
    stream.Write("\n");
  }
}

Command Git(const std::string& git, std::vector<std::string> arguments,
            Preload preload, int failure) {
  const std::vector<std::string> first = {"-C", "repository", "-c",
                                          "pack.threads=2"};
  arguments.insert(arguments.begin(), first.begin(), first.end());
  return {.program = git,
          .arguments = std::move(arguments),
          .preload = preload,
          .failure = failure};
}

}  // namespace

void GitGc(Run& run) {
  const std::string git = NeedProgram("git-gc", "git");
  const Folder folder;
  const uint64_t commits = std::max<uint64_t>(run.Scaled(kCommits), 10);
  WriteHistory("history", run.seed(), commits);
  RunCommand({.program = git,
              .arguments = {"init", "-q", "--bare", "repository"},
              .preload = Preload::kNothing,
              .failure = kCannotRun});
  Command import =
      Git(git, {"fast-import", "--quiet"}, Preload::kNothing, kCannotRun);
  import.input = "history";
  RunCommand(import);

  // What git gc --aggressive spends its time on. Without the rest of it, which
  // may decide to do its work later and elsewhere.
  run.FinishWith(RunCommand(
      Git(git, {"repack", "-a", "-d", "-f", "-q", "--depth=50", "--window=250"},
          Preload::kAllocator, kAllocatorFailed)));
  run.Count(commits);

  RunCommand(Git(git, {"fsck", "--full", "--strict"}, Preload::kNothing,
                 kAllocatorFailed));
  std::string result;
  RunCommand(Git(git, {"rev-list", "--count", "main"}, Preload::kNothing,
                 kAllocatorFailed),
             &result);
  ExpectResult(git, result, std::to_string(commits) + "\n");
}

}  // namespace hakmem::bench
