#include <stdio.h>

#include <string>
#include <string_view>

#include "benchmarks/workloads/programs/child.h"
#include "benchmarks/workloads/programs/folder.h"
#include "benchmarks/workloads/programs/programs.h"

namespace hakmem::bench {
namespace {

constexpr char kPages[] =
#include "benchmarks/workloads/programs/pages.ps.inc"
    ;

constexpr uint64_t kUsualPages = 200;

// US letter at 72 dots per inch.
constexpr size_t kWidth = 612;
constexpr size_t kHeight = 792;
constexpr size_t kPageBytes = kWidth * kHeight * 3;
constexpr size_t kBlock = 50;  // dots of solid red from the lower left corner

// What the program must print.
std::string Expected(uint64_t state, uint64_t pages) {
  uint64_t total = 0;
  for (uint64_t string = 0; string < pages * 300; ++string) {
    state = (state * 75 + 74) % 65'537;
    total += state % 20 + 1;
  }
  return std::to_string(total) + "\n";
}

// Reads the header of a page; false when it is not that of one.
bool ReadHeader(FILE* file) {
  char line[256];
  std::string header;
  for (int lines = 0; lines < 3;) {
    if (fgets(line, sizeof(line), file) == nullptr) return false;
    if (line[0] == '#') continue;
    header += line;
    ++lines;
  }
  return header == "P6\n612 792\n255\n";
}

// True when the block is there and a good deal of other things too.
bool IsDrawn(const std::string& page) {
  size_t marked = 0;
  for (size_t y = 0; y < kHeight; ++y) {
    for (size_t x = 0; x < kWidth; ++x) {
      const std::string_view dot(page.data() + (y * kWidth + x) * 3, 3);
      if (y >= kHeight - kBlock && x < kBlock) {
        if (dot != std::string_view("\xff\0\0", 3)) return false;
      } else if (dot != "\xff\xff\xff") {
        ++marked;
      }
    }
  }
  return marked > kWidth * kHeight / 50;
}

void CheckPages(const char* name, uint64_t pages) {
  FILE* const file = fopen(name, "re");
  if (file == nullptr) Die(kAllocatorFailed, "gs: there are no pages");
  std::string page(kPageBytes, '\0');
  for (uint64_t i = 0; i < pages; ++i) {
    if (!ReadHeader(file) ||
        fread(page.data(), 1, page.size(), file) != page.size() ||
        !IsDrawn(page)) {
      Die(kAllocatorFailed, "gs: page %zu is not what it must be",
          static_cast<size_t>(i + 1));
    }
  }
  if (fgetc(file) != EOF) Die(kAllocatorFailed, "gs: there are too many pages");
  fclose(file);
}

}  // namespace

void Ghostscript(Run& run) {
  const std::string gs = NeedProgram("ghostscript", "gs");
  const Folder folder;
  const uint64_t pages = run.Scaled(kUsualPages);
  const uint64_t state = run.seed() % 65'537;
  WriteFile("pages.ps", "%!PS\n/pages " + std::to_string(pages) +
                            " def /state " + std::to_string(state) + " def\n" +
                            kPages);
  std::string result;
  run.FinishWith(RunCommand(
      {.program = gs,
       .arguments = {"-q", "-dSAFER", "-sDEVICE=ppmraw", "-r72",
                     "-sPAPERSIZE=letter", "-o", "pages.ppm", "pages.ps"}},
      &result));
  ExpectResult(gs, result, Expected(state, pages));
  CheckPages("pages.ppm", pages);
  run.Count(pages);
}

}  // namespace hakmem::bench
