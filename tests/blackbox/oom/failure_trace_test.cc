// failure_trace_test.cc: HAKMEM_ACE_TRACE prints why allocations fail, and
// errors in printing do not harm the program.
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kImpossible = size_t{1} << 63;

// Fails HAKMEM_TEST_FAILURES times.
int FailOften() {
  const char* times = getenv("HAKMEM_TEST_FAILURES");
  for (int i = atoi(times); i > 0; --i) {
    if (malloc(Opaque(kImpossible)) != nullptr) return 1;
  }
  return 0;
}
const ChildProgram fail_often("fail_often", FailOften);

int FailWithoutStderr() {
  close(STDERR_FILENO);
  return FailOften();
}
const ChildProgram fail_without_stderr("fail_without_stderr",
                                       FailWithoutStderr);

int FailWithABrokenPipe() {
  int ends[2];
  if (pipe(ends) != 0) return 2;
  dup2(ends[1], STDERR_FILENO);
  close(ends[0]);
  close(ends[1]);
  return FailOften();
}
const ChildProgram fail_with_a_broken_pipe("fail_with_a_broken_pipe",
                                           FailWithABrokenPipe);

void* FailInThread(void* served) {
  *static_cast<bool*>(served) = malloc(Opaque(kImpossible)) != nullptr ||
                                malloc(Opaque(256 * kMiB)) != nullptr;
  return nullptr;
}

int FailOnTheSmallestStack() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes,
                            static_cast<size_t>(sysconf(_SC_THREAD_STACK_MIN)));
  pthread_t thread;
  bool served = true;
  LimitAddressSpace(64 * kMiB);
  if (pthread_create(&thread, &attributes, FailInThread, &served) != 0) {
    return 2;
  }
  pthread_join(thread, nullptr);
  return served ? 3 : 0;
}
const ChildProgram fail_on_the_smallest_stack("fail_on_the_smallest_stack",
                                              FailOnTheSmallestStack);

int FailInAHandler() {
  signal(SIGUSR1, [](int) {
    if (malloc(Opaque(kImpossible)) != nullptr) _exit(4);
  });
  raise(SIGUSR1);
  return 0;
}
const ChildProgram fail_in_a_handler("fail_in_a_handler", FailInAHandler);

int FailInAChild() {
  const ChildResult child = RunForked([] {
    if (malloc(Opaque(kImpossible)) != nullptr) _exit(4);
  });
  fprintf(stderr, "%s", child.err.c_str());
  return child.exit_code;
}
const ChildProgram fail_in_a_child("fail_in_a_child", FailInAChild);

int FailWithALimitedFile() {
  // No file may grow: writes raise SIGXFSZ, or fail where that is ignored.
  signal(SIGXFSZ, SIG_IGN);
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_FSIZE, &none);
  return FailOften();
}
const ChildProgram fail_with_a_limited_file("fail_with_a_limited_file",
                                            FailWithALimitedFile);

size_t CountLines(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) {
    ++count;
  }
  return count;
}

class FailureTraceTest : public testing::Test {
 protected:
  FailureTraceTest() {
    folder_ = testing::TempDir() + "/failure_trace_test_XXXXXX";
    if (mkdtemp(folder_.data()) == nullptr) abort();
  }
  ~FailureTraceTest() override { std::filesystem::remove_all(folder_); }

  void SetUp() override {
    if (LibraryPath().find("notrace") != std::string::npos) {
      GTEST_SKIP() << "no tracing in this library";
    }
  }

  // Runs `program`, which fails `failures` times, and traces to `output`.
  static ChildResult Trace(
      const std::string& program, const std::string& output, int failures = 1,
      std::vector<std::pair<std::string, std::string>> variables = {}) {
    variables.emplace_back("HAKMEM_ACE_TRACE", output);
    variables.emplace_back("HAKMEM_TEST_FAILURES", std::to_string(failures));
    return RunChildProgram(program, variables);
  }

  std::string folder_;
};

TEST_F(FailureTraceTest, IsSilentUnlessAskedFor) {
  const ChildResult child = Trace("fail_often", "0", 3);
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err, "");
}

TEST_F(FailureTraceTest, PrintsALineForEachFailure) {
  const ChildResult child = Trace("fail_often", "1", 3);
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_TRUE(std::regex_match(
      child.err,
      std::regex("(hakmem: failure \\d+, thread \\d+: malloc of 8 EiB: "
                 "Threshold in frontend, ENOMEM: a request of "
                 "9223372036854775808 bytes can never be served: PTRDIFF_MAX "
                 "is 9223372036854775807\n){3}")))
      << child.err;
}

TEST_F(FailureTraceTest, AppendsToAFile) {
  const std::string path = folder_ + "/trace";
  for (size_t run = 1; run <= 2; ++run) {
    const ChildResult child = Trace("fail_often", path, 2);
    EXPECT_EQ(child.exit_code, 0);
    EXPECT_EQ(child.err, "");
    std::ifstream file(path);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    EXPECT_EQ(CountLines(text, "failure "), 2 * run) << text;
    EXPECT_EQ(CountLines(text, "\n"), 2 * run) << text;
  }
}

// --- As JSON -----------------------------------------------------------------

// Each line of `text`, which must be one JSON object.
std::vector<nlohmann::json> JsonLines(const std::string& text) {
  std::vector<nlohmann::json> lines;
  EXPECT_TRUE(text.empty() || text.back() == '\n') << text;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
    EXPECT_TRUE(object.is_object()) << line;
    if (object.is_object()) lines.push_back(std::move(object));
  }
  return lines;
}

std::string ContentsOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int FailEveryWay() {
  if (malloc(Opaque(kImpossible)) != nullptr) return 1;
  if (malloc(Opaque(size_t{1} << 60)) != nullptr) return 2;
  if (calloc(Opaque(size_t{1} << 40), 1 << 30) != nullptr) return 3;
  void* block = nullptr;
  if (posix_memalign(&block, Opaque(size_t{3}), 8) != EINVAL) return 4;
  return 0;
}
const ChildProgram fail_every_way("fail_every_way", FailEveryWay);

TEST_F(FailureTraceTest, JsonHasAnObjectForEachFailure) {
  const ChildResult child =
      Trace("fail_every_way", "1", 0, {{"HAKMEM_ACE_TRACE_FORMAT", "json"}});
  EXPECT_EQ(child.exit_code, 0);
  const std::vector<nlohmann::json> lines = JsonLines(child.err);
  ASSERT_EQ(lines.size(), 4u) << child.err;
  const char* const entries[] = {"malloc", "malloc", "calloc",
                                 "posix_memalign"};
  const char* const causes[] = {"Threshold", "MapFail", "Threshold",
                                "Threshold"};
  uint64_t newest = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    const nlohmann::json& line = lines[i];
    SCOPED_TRACE(line.dump());
    EXPECT_EQ(line["kind"], "failure");
    EXPECT_EQ(line["entry"], entries[i]);
    EXPECT_EQ(line["cause"], causes[i]);
    EXPECT_EQ(line["dropped"], 0);
    EXPECT_EQ(line["pid"], lines[0]["pid"]);
    EXPECT_EQ(line["thread"], line["pid"]);
    EXPECT_GT(line["time_ns"].get<uint64_t>(), uint64_t{1} << 60);
    EXPECT_GT(line["sequence"].get<uint64_t>(), newest);
    newest = line["sequence"];
    const auto text = line["text"].get<std::string>();
    const auto explanation = line["explanation"].get<std::string>();
    EXPECT_EQ(text.rfind(entries[i], 0), 0u);
    EXPECT_GT(explanation.size(), 20u);
    EXPECT_EQ(text.substr(text.size() - explanation.size()), explanation);
  }
  EXPECT_EQ(lines[0]["size"], uint64_t{kImpossible});
  EXPECT_EQ(lines[1]["subcause"], "address_space");
  EXPECT_EQ(lines[1]["os_request"], "map_large");
  EXPECT_EQ(lines[1]["error_name"], "ENOMEM");
  EXPECT_GT(lines[1]["evidence_limit"].get<uint64_t>(), 0u);
  EXPECT_EQ(lines[2]["size"], uint64_t{SIZE_MAX});
  EXPECT_EQ(lines[3]["alignment"], 3);
  EXPECT_EQ(lines[3]["error"], EINVAL);
}

TEST_F(FailureTraceTest, AFileThatEndsInJsonlIsJson) {
  const std::string path = folder_ + "/trace.jsonl";
  EXPECT_EQ(Trace("fail_often", path, 2).exit_code, 0);
  EXPECT_EQ(JsonLines(ContentsOf(path)).size(), 2u);
  // Unless another format is set.
  const std::string text = folder_ + "/text.jsonl";
  Trace("fail_often", text, 2, {{"HAKMEM_ACE_TRACE_FORMAT", "text"}});
  EXPECT_EQ(ContentsOf(text).rfind("hakmem[", 0), 0u) << ContentsOf(text);
  const std::string json = folder_ + "/json.txt";
  Trace("fail_often", json, 2, {{"HAKMEM_ACE_TRACE_FORMAT", "json"}});
  EXPECT_EQ(JsonLines(ContentsOf(json)).size(), 2u);
}

TEST_F(FailureTraceTest, JsonCountsWhatIsDropped) {
  const std::string path = folder_ + "/trace.jsonl";
  EXPECT_EQ(Trace("fail_often", path, 1000).exit_code, 0);
  const std::vector<nlohmann::json> lines = JsonLines(ContentsOf(path));
  uint64_t logged = 0;
  uint64_t dropped = 0;
  for (const nlohmann::json& line : lines) {
    if (line["kind"] == "failure") ++logged;
    dropped += line["dropped"].get<uint64_t>();
  }
  EXPECT_GE(logged, 10u);
  EXPECT_LE(logged, 50u);
  EXPECT_EQ(logged + dropped, 1000u);
  EXPECT_EQ(lines.back()["kind"], "dropped");
}

TEST_F(FailureTraceTest, JsonHasTheFramesOfTheStack) {
  const std::string path = folder_ + "/trace.jsonl";
  EXPECT_EQ(
      Trace("fail_often", path, 1, {{"HAKMEM_ACE_TRACE_STACK", "1"}}).exit_code,
      0);
  const std::vector<nlohmann::json> lines = JsonLines(ContentsOf(path));
  ASSERT_GE(lines.size(), 3u);
  EXPECT_EQ(lines[0]["kind"], "failure");
  bool has_start = false;
  for (size_t i = 1; i < lines.size(); ++i) {
    const nlohmann::json& frame = lines[i];
    SCOPED_TRACE(frame.dump());
    EXPECT_EQ(frame["kind"], "frame");
    EXPECT_EQ(frame["pid"], lines[0]["pid"]);
    EXPECT_EQ(frame["sequence"], lines[0]["sequence"]);
    EXPECT_EQ(frame["frame"], i - 1);
    EXPECT_EQ(frame["address"].get<std::string>().rfind("0x", 0), 0u);
    const std::string name = frame.value("name", "");
    has_start = has_start || name.find("__libc_start_main") == 0;
  }
  // The stack starts in the program, not in the allocator.
  EXPECT_NE(lines[1]["name"].get<std::string>().find("FailOften"),
            std::string::npos);
  EXPECT_TRUE(has_start);
}

TEST_F(FailureTraceTest, JsonOnTheSmallestStackIsWhole) {
  const ChildResult child = Trace(
      "fail_on_the_smallest_stack", "1", 0,
      {{"HAKMEM_ACE_TRACE_FORMAT", "json"}, {"HAKMEM_ACE_TRACE_STACK", "1"}});
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  const std::vector<nlohmann::json> lines = JsonLines(child.err);
  ASSERT_GE(lines.size(), 2u) << child.err;
  EXPECT_EQ(lines[0]["cause"], "Threshold");
}

TEST_F(FailureTraceTest, AFileThatCannotBeOpenedIsOneLine) {
  const ChildResult child = Trace("fail_often", folder_ + "/none/trace", 3);
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err,
            "hakmem: HAKMEM_ACE_TRACE: cannot open (ENOENT), so nothing is "
            "written to " +
                folder_ + "/none/trace\n");
}

TEST_F(FailureTraceTest, LinesAreLimitedAndTheRestIsCounted) {
  const ChildResult child = Trace("fail_often", "1", 1000);
  EXPECT_EQ(child.exit_code, 0);
  const size_t lines = CountLines(child.err, "Threshold");
  EXPECT_GE(lines, 10u);
  EXPECT_LE(lines, 50u);  // a slow machine may take some seconds
  EXPECT_TRUE(std::regex_search(
      child.err, std::regex("hakmem: \\d+ more failures were not printed\n$")))
      << child.err;
}

TEST_F(FailureTraceTest, TheStackShowsTheProgramsFunctions) {
  const ChildResult child =
      Trace("fail_often", "1", 1, {{"HAKMEM_ACE_TRACE_STACK", "1"}});
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_TRUE(std::regex_search(
      child.err, std::regex("^hakmem: failure [^\n]*\nhakmem:   #0 0x")))
      << child.err;
  // The stack starts in the program, not in the allocator.
  EXPECT_TRUE(std::regex_search(
      child.err, std::regex("\nhakmem:   #0 0x[^\n]* [^\n ]*FailOften")))
      << child.err;
  EXPECT_EQ(child.err.find("libhakmem"), std::string::npos) << child.err;
  EXPECT_NE(child.err.find("__libc_start_main"), std::string::npos)
      << child.err;
}

TEST_F(FailureTraceTest, NothingThatIsWrongWithStderrHarms) {
  for (const char* program :
       {"fail_without_stderr", "fail_with_a_broken_pipe"}) {
    const ChildResult child =
        Trace(program, "1", 30, {{"HAKMEM_ACE_TRACE_STACK", "1"}});
    EXPECT_EQ(child.exit_code, 0) << program;
    EXPECT_EQ(child.signal, 0) << program;
  }
}

TEST_F(FailureTraceTest, AFileThatTakesNoMoreIsHarmless) {
  const ChildResult child =
      Trace("fail_with_a_limited_file", folder_ + "/trace", 3);
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
}

TEST_F(FailureTraceTest, TheSmallestStackIsEnough) {
  const ChildResult child = Trace("fail_on_the_smallest_stack", "1", 0,
                                  {{"HAKMEM_ACE_TRACE_STACK", "1"}});
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(CountLines(child.err, "Threshold in"), 1u) << child.err;
  EXPECT_EQ(CountLines(child.err, "MapFail in large, RLIMIT_AS"), 1u)
      << child.err;
}

TEST_F(FailureTraceTest, AHandlerAndAForkedChildArePrinted) {
  for (const char* program : {"fail_in_a_handler", "fail_in_a_child"}) {
    const ChildResult child =
        Trace(program, "1", 0, {{"HAKMEM_ACE_TRACE_STACK", "1"}});
    EXPECT_EQ(child.exit_code, 0) << program;
    EXPECT_EQ(CountLines(child.err, "Threshold in"), 1u) << child.err;
  }
}

}  // namespace
}  // namespace hakmem_test
