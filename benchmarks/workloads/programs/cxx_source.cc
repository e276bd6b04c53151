#include "benchmarks/workloads/programs/cxx_source.h"

#include "benchmarks/workloads/programs/folder.h"

namespace hakmem::bench {
namespace {

constexpr char kBeginning[] = R"(#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <vector>

// Adds up 1 to n, a class for each.
template <int n>
struct Stairs {
  std::unique_ptr<Stairs<n - 1>> below = std::make_unique<Stairs<n - 1>>();
  int Height() const { return n + below->Height(); }
};
template <>
struct Stairs<0> {
  int Height() const { return 0; }
};
)";

// $ stands for the function's number. The result is the number + 20.
constexpr char kFunction[] = R"(
struct Record$ {
  int key;
  std::string label;
};

int Work$() {
  std::vector<Record$> records;
  for (int i = 0; i < 20; ++i) records.push_back({i * 7 % 20, "label"});
  std::sort(records.begin(), records.end(),
            [](const Record$& a, const Record$& b) { return a.key < b.key; });
  std::map<std::string, Record$> by_label;
  for (const Record$& record : records) {
    by_label[record.label + std::to_string(record.key)] = record;
  }
  const std::function<int(int)> count = [&](int left) {
    return left == 0 ? $ : 1 + count(left - 1);
  };
  return count(static_cast<int>(by_label.size()));
}
)";

std::string WithNumber(std::string text, uint64_t number) {
  const std::string digits = std::to_string(number);
  for (size_t at = 0; (at = text.find('$', at)) != std::string::npos;) {
    text.replace(at, 1, digits);
  }
  return text;
}

}  // namespace

std::string WriteCxxSource(const std::string& name, uint64_t functions) {
  FileWriter file(name);
  file.Write(kBeginning);
  for (uint64_t i = 0; i < functions; ++i) file.Write(WithNumber(kFunction, i));
  file.Write(
      "\nint main() {\n"
      "  long sum = Stairs<40>().Height();\n");
  uint64_t sum = 40 * 41 / 2;
  for (uint64_t i = 0; i < functions; ++i) {
    file.Write(WithNumber("  sum += Work$();\n", i));
    sum += i + 20;
  }
  file.Write("  std::printf(\"%ld\\n\", sum);\n}\n");
  return std::to_string(sum) + "\n";
}

}  // namespace hakmem::bench
