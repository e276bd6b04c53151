// The GoogleTest driver: runs the linked model over random bytes from seeds and
// over the files of past crashes.
//
//   HAKMEM_FUZZ_SEED=n    runs that seed only
//   HAKMEM_FUZZ_RUNS=n    runs n seeds, without a time limit
//
// If the process dies, for whatever reason, the current seed or file is
// printed.

#include "tests/state_fuzz/model.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

// Sanitizers that find an error exit without a signal.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*)(void));

namespace hakmem::fuzz {
namespace {

constexpr uint64_t kRuns = 400;
constexpr auto kBudget = std::chrono::seconds(3);
constexpr size_t kMinBytes = 256;
constexpr size_t kMaxBytes = 8192;

char running[512] = "";

void TellWhatRan() {
  ssize_t written = write(STDERR_FILENO, running, strlen(running));
  static_cast<void>(written);
}

constexpr int kDeadly[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
struct sigaction before[std::size(kDeadly)];

// Prints the run, then leaves the signal to its previous handler.
void OnDeath(int) {
  TellWhatRan();
  for (size_t i = 0; i < std::size(kDeadly); ++i) {
    sigaction(kDeadly[i], &before[i], nullptr);
  }
}

class Model : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    struct sigaction action = {};
    action.sa_handler = OnDeath;
    for (size_t i = 0; i < std::size(kDeadly); ++i) {
      sigaction(kDeadly[i], &action, &before[i]);
    }
    if (__sanitizer_set_death_callback != nullptr) {
      __sanitizer_set_death_callback(TellWhatRan);
    }
  }

  // `name` is what the user can pass to reproduce the run.
  static void Run(const std::string& name, const std::vector<uint8_t>& bytes) {
    snprintf(running, sizeof(running), "fuzz: it was %s\n", name.c_str());
    RunLinkedModel(bytes);
    running[0] = '\0';
  }

  static void RunSeed(uint64_t seed) {
    std::mt19937_64 random(seed);
    // Many short runs come first: their failures are easier to read.
    std::vector<uint8_t> bytes(kMinBytes + random() % (kMaxBytes - kMinBytes) *
                                               std::min<uint64_t>(seed, kRuns) /
                                               kRuns);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    Run("HAKMEM_FUZZ_SEED=" + std::to_string(seed), bytes);
  }

  static uint64_t Environment(const char* name) {
    const char* text = getenv(name);
    return text == nullptr ? 0 : strtoull(text, nullptr, 10);
  }
};

TEST_F(Model, AgreesOverRandomOperations) {
  if (const uint64_t seed = Environment("HAKMEM_FUZZ_SEED"); seed != 0) {
    return RunSeed(seed);
  }
  const uint64_t asked = Environment("HAKMEM_FUZZ_RUNS");
  const uint64_t last = asked != 0 ? asked : kRuns;
  const auto end = std::chrono::steady_clock::now() + kBudget;
  uint64_t runs = 0;
  while (runs < last) {
    // Whatever the budget, some runs are long.
    RunSeed(asked != 0 || runs % 2 == 0 ? 1 + runs : kRuns - runs);
    ++runs;
    if (asked == 0 && std::chrono::steady_clock::now() >= end) break;
  }
  printf("%llu seeds\n", static_cast<unsigned long long>(runs));
}

TEST_F(Model, AgreesOverPastCrashes) {
  const char* folder = getenv("HAKMEM_FUZZ_CRASHES");
  if (folder == nullptr || !std::filesystem::exists(folder)) return;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream stream(file.path(), std::ios::binary);
    const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(stream),
                                     std::istreambuf_iterator<char>()};
    Run(file.path().string(), bytes);
  }
}

}  // namespace
}  // namespace hakmem::fuzz
