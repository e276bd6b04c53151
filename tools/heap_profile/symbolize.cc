#include "tools/heap_profile/symbolize.h"

#include <cxxabi.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/heap_profile/elf_file.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::tools {
namespace {

constexpr std::chrono::minutes kLongest{2};

std::string Demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &free);
  return status == 0 && text != nullptr ? text.get() : name;
}

// The command that answers as addr2line does; empty when none is installed.
std::vector<std::string> Addr2lineCommand() {
  if (!FindProgram("addr2line").empty()) return {"addr2line"};
  if (!FindProgram("llvm-symbolizer").empty()) {
    return {"llvm-symbolizer", "--output-style=GNU"};
  }
  return {};
}

std::string Hex(uint64_t value) { return absl::StrCat("0x", absl::Hex(value)); }

// The lines of each address of `file`; none where it is not known.
std::vector<std::vector<SourceLine>> AskAddr2line(
    const std::string& file, const std::vector<uint64_t>& addresses) {
  Command command = {.arguments = Addr2lineCommand()};
  if (command.arguments.empty()) return ParseAddr2line("", addresses.size());
  for (const char* word : {"-a", "-f", "-i", "-C", "-e"}) {
    command.arguments.emplace_back(word);
  }
  command.arguments.push_back(file);
  std::string input;
  for (const uint64_t address : addresses) {
    absl::StrAppend(&input, Hex(address), "\n");
  }
  command.input = Stream::Text(std::move(input));
  command.errors = Stream::Null();
  command.time_limit = kLongest;
  return ParseAddr2line(RunProcess(command).output, addresses.size());
}

std::string NameOf(const Module& module) {
  return std::filesystem::path(module.path).filename().string();
}

void SymbolizeModule(const Module& module, std::vector<Location*> locations) {
  const ElfFile file(module.path);
  std::vector<Location*> known;
  std::vector<uint64_t> addresses;
  for (Location* location : locations) {
    if (const auto address = file.AddressOf(location->offset)) {
      known.push_back(location);
      addresses.push_back(*address);
    }
  }
  if (known.empty()) return;
  const auto answers = AskAddr2line(module.path, addresses);
  for (size_t i = 0; i < known.size(); ++i) {
    known[i]->lines = answers[i];
    if (!known[i]->lines.empty()) continue;
    const std::string name = file.FunctionAt(addresses[i]);
    if (!name.empty()) known[i]->lines = {{Demangled(name), "", 0}};
  }
}

}  // namespace

std::vector<std::vector<SourceLine>> ParseAddr2line(std::string_view output,
                                                    size_t count) {
  std::vector<std::vector<SourceLine>> answers;
  bool is_function = true;
  for (std::string_view line : absl::StrSplit(output, '\n')) {
    if (absl::StartsWith(line, "0x")) {
      answers.emplace_back();
      is_function = true;
    } else if (answers.empty() || line.empty()) {
      continue;
    } else if (is_function) {
      answers.back().push_back({std::string(line), "", 0});
      is_function = false;
    } else {
      is_function = true;
      SourceLine& at = answers.back().back();
      // "file.c:12 (discriminator 3)"
      line = line.substr(0, line.find(" (discriminator"));
      const size_t colon = line.rfind(':');
      if (colon == line.npos || absl::StartsWith(line, "??")) continue;
      at.file = std::string(line.substr(0, colon));
      if (!absl::SimpleAtoi(line.substr(colon + 1), &at.line)) at.line = 0;
    }
  }
  answers.resize(count);
  for (auto& lines : answers) {
    if (!lines.empty() && lines.front().function == "??") lines.clear();
  }
  return answers;
}

void Symbolize(HeapProfile& profile) {
  std::vector<std::vector<Location*>> of_module(profile.modules.size());
  for (Location& location : profile.locations) {
    if (location.module != kNoModule) {
      of_module[location.module].push_back(&location);
    }
  }
  for (size_t i = 0; i < of_module.size(); ++i) {
    if (!of_module[i].empty()) {
      SymbolizeModule(profile.modules[i], of_module[i]);
    }
  }
  for (Location& location : profile.locations) {
    if (!location.lines.empty()) continue;
    const std::string module =
        location.module == kNoModule
            ? ""
            : absl::StrCat(NameOf(profile.modules[location.module]), "+");
    location.lines = {{absl::StrCat(module, Hex(location.offset)), "", 0}};
  }
}

}  // namespace hakmem::tools
