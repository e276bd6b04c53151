#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <string>

#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/programs/child.h"
#include "benchmarks/workloads/programs/folder.h"
#include "benchmarks/workloads/programs/programs.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kUsualKib = 32 << 10;
constexpr size_t kPieceBytes = size_t{4} << 10;

// Random bytes, one of them over and over, or words, of which `words` are to
// choose from: what does not shrink, what all but vanishes, what lies between.
std::string Piece(Random& random, const std::string& words) {
  std::string piece;
  const uint64_t kind = random.Below(8);
  if (kind == 0) {
    while (piece.size() < kPieceBytes) {
      const uint64_t bits = random.Next();
      piece.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
    }
  } else if (kind == 1) {
    piece.assign(kPieceBytes, static_cast<char>('a' + random.Below(26)));
  } else {
    while (piece.size() < kPieceBytes) {
      const size_t length = 2 + random.Below(9);
      piece.append(words, random.Below(words.size() - length), length) += ' ';
    }
  }
  piece.resize(kPieceBytes);
  return piece;
}

void WriteInput(const std::string& name, uint64_t seed, uint64_t kib) {
  Random random(seed);
  std::string words;
  for (int i = 0; i < 20'000; ++i) {
    words += static_cast<char>('a' + random.Below(26));
  }
  FileWriter file(name);
  const uint64_t pieces = (kib << 10) / kPieceBytes;
  for (uint64_t i = 0; i < pieces; ++i) file.Write(Piece(random, words));
}

bool HaveSameContent(const std::string& one, const std::string& other) {
  FILE* const files[] = {fopen(one.c_str(), "re"), fopen(other.c_str(), "re")};
  bool same = files[0] != nullptr && files[1] != nullptr;
  size_t lengths[] = {1, 1};
  while (same && lengths[0] != 0) {
    char buffers[2][4096];
    for (int i = 0; i < 2; ++i) {
      lengths[i] = fread(buffers[i], 1, sizeof(buffers[i]), files[i]);
    }
    same = lengths[0] == lengths[1] &&
           memcmp(buffers[0], buffers[1], lengths[0]) == 0;
  }
  for (FILE* const file : files) {
    if (file != nullptr) fclose(file);
  }
  return same;
}

}  // namespace

void Zstd(Run& run) {
  const std::string zstd = NeedProgram("zstd", "zstd");
  const Folder folder;
  const uint64_t kib = std::max<uint64_t>(run.Scaled(kUsualKib), 64);
  WriteInput("input", run.seed(), kib);
  // -B: the threads take turns with so much each; by itself it is more than the
  // whole file.
  run.FinishWith(RunCommand({.program = zstd,
                             .arguments = {"-q", "-T2", "-9", "-B2MiB", "-c"},
                             .input = "input",
                             .output = "compressed"}));
  run.Count(kib);
  RunCommand({.program = zstd,
              .arguments = {"-q", "-d", "-c"},
              .preload = Preload::kNothing,
              .input = "compressed",
              .output = "again"});
  if (!HaveSameContent("input", "again")) {
    Die(kAllocatorFailed, "zstd: what was compressed is not what comes back");
  }
}

}  // namespace hakmem::bench
