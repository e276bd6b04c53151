#include "tests/fast_path/golden.h"

#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/fast_path/measured_functions.h"

namespace hakmem::bench {
namespace {

constexpr char kHeader[] =
    R"(# What the fast paths of HAKMEM consist of. Each function is called when the
# thread's bin serves it (a block of 48 bytes; realloc to 44, which stays in
# place), in a process that ptrace steps through one instruction at a time.
# A change to the code that adds an instruction, a branch or a memory access
# shows here, and //tests/fast_path:fast_path_test fails until this file
# says so too:
#
#     ./bazelw run //tests/fast_path:update
#
# writes it anew; say in the commit why the path is worth what it costs now.
# Asked for: malloc at most 12 instructions and 2 branches, free at most 16 and
# 3, none atomic.
#
#   branches   conditional jumps
#   loads      memory operands that are read and that are written; an
#   stores     instruction may do both. What push, pop, call and ret do to the
#              stack is left out.
#   atomic     locked accesses
#   outside    times that the path leaves the library, to memset: what runs
#              there, a matter of libc and CPU, is not counted
#
# Below them, what bins do not serve, by the functions on the way: a malloc that
# finds its bin empty and takes a batch of blocks for it, a free that finds it
# full and gives the older half back (of blocks of 48 bytes and of 4 KiB), and
# a block of 2 MiB, which is kept at free and served again. An hour's decay time
# keeps the clock out of the counts, and of twelve calls the shortest path that
# came three times is counted, so that looks at the clock are left out.
#
# Other compilers make other instructions: with another one than this, or in
# another build than the default, the test is skipped.
)";

constexpr char kCompilerLabel[] = "compiler: ";

constexpr char kRowFormat[] =
    "%-9s  %-12s  %12s  %8s  %5s  %6s  %6s  %8s  %5s  %7s\n";

std::string Heading() {
  return absl::StrFormat(kRowFormat, "back-end", "function", "instructions",
                         "branches", "loads", "stores", "atomic", "push/pop",
                         "calls", "outside");
}

std::string HopRow(const Hop& hop) {
  return absl::StrFormat("    %5d in %3d  %s\n", hop.instructions, hop.entries,
                         hop.function);
}

std::string Row(const std::string& backend, const char* function,
                const PathCounts& counts) {
  return absl::StrFormat(
      kRowFormat, backend, function, absl::StrCat(counts.instructions),
      absl::StrCat(counts.branches), absl::StrCat(counts.loads),
      absl::StrCat(counts.stores), absl::StrCat(counts.atomics),
      absl::StrCat(counts.pushes_and_pops), absl::StrCat(counts.calls),
      absl::StrCat(counts.outside));
}

}  // namespace

std::string Compiler() {
#if defined(__clang__)
  std::string compiler = absl::StrCat("clang ", __clang_major__);
#elif defined(__GNUC__)
  std::string compiler = absl::StrCat("gcc ", __GNUC__);
#else
  std::string compiler = "unknown";
#endif
#if !defined(NDEBUG) || !defined(__OPTIMIZE__)
  compiler += ", not the default build";
#endif
#if defined(__CET__)
  // Some distributions' compilers begin each function with an endbr64.
  compiler += ", -fcf-protection";
#endif
  return compiler;
}

std::string CompilerOf(absl::string_view golden) {
  for (absl::string_view line : absl::StrSplit(golden, '\n')) {
    if (absl::ConsumePrefix(&line, kCompilerLabel)) return std::string(line);
  }
  return "";
}

std::string GoldenText(const std::string& compiler,
                       const std::vector<BackendPaths>& backends) {
  std::string text = absl::StrCat(kHeader, kCompilerLabel, compiler, "\n\n");
  text += Heading();
  std::string listings;
  std::string misses;
  std::string hops;
  for (const auto& [backend, paths] : backends) {
    for (size_t i = 0; i < paths.size(); ++i) {
      const char* const function = kMeasuredFunctions[i].name;
      const std::string row = Row(backend, function, paths[i].counts);
      const std::string title =
          absl::StrCat("\n", backend, " ", function, "\n");
      if (IsMiss(i)) {
        misses += row;
        hops += title;
        for (const Hop& hop : paths[i].hops) hops += HopRow(hop);
      } else {
        text += row;
        listings += title;
        for (const std::string& line : paths[i].lines) {
          absl::StrAppend(&listings, "    ", line, "\n");
        }
      }
    }
  }
  if (misses.empty()) return text + listings;
  return absl::StrCat(text, listings, "\n# Not served by bins:\n\n", Heading(),
                      misses, "\n# Instructions, times entered, function:\n",
                      hops);
}

absl::StatusOr<std::string> GoldenTextNow() {
  const std::string caller =
      std::filesystem::absolute("tests/fast_path/caller").string();
  std::vector<BackendPaths> backends;
  for (const char* const backend : {"segment", "superslab"}) {
    const std::string library =
        std::filesystem::absolute(absl::StrCat("libhakmem-", backend, ".so"))
            .string();
    auto paths = CountFastPaths(caller, library);
    if (!paths.ok()) return paths.status();
    backends.push_back({backend, *std::move(paths)});
  }
  return GoldenText(Compiler(), backends);
}

}  // namespace hakmem::bench
