#include "tools/failure_scenarios/run_scenario.h"

#include <stdio.h>
#include <sys/wait.h>

#include <map>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tools/libraries/library_files.h"

namespace hakmem::tools {
namespace {

std::string Quoted(std::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// Runs a line of shell; its exit status, -1 when a signal ended the shell.
int Shell(const std::string& line, std::string& output) {
  FILE* const stream = popen(line.c_str(), "re");
  if (stream == nullptr) return -1;
  char buffer[4096];
  while (const size_t length = fread(buffer, 1, sizeof(buffer), stream)) {
    output.append(buffer, length);
  }
  const int status = pclose(stream);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

using Fields = std::map<std::string, std::string, std::less<>>;

uint64_t Number(const Fields& fields, std::string_view name) {
  const auto field = fields.find(name);
  uint64_t number = 0;
  return field != fields.end() && absl::SimpleAtoi(field->second, &number)
             ? number
             : 0;
}

ProvokedFailure Parse(const std::string& output) {
  Fields fields;
  for (const std::string_view line : absl::StrSplit(output, '\n')) {
    fields.insert(absl::StrSplit(line, absl::MaxSplits('=', 1)));
  }
  ProvokedFailure f;
  f.entry = fields["entry"];
  f.layer = fields["layer"];
  f.cause = fields["cause"];
  f.subcause = fields["subcause"];
  f.text = fields["text"];
  f.size = Number(fields, "size");
  f.alignment = Number(fields, "alignment");
  f.error = Number(fields, "error");
  f.live_bytes = Number(fields, "live_bytes");
  f.cached_bytes = Number(fields, "cached_bytes");
  f.limit_bytes = Number(fields, "limit_bytes");
  f.os_bytes = Number(fields, "os_bytes");
  f.evidence_used = Number(fields, "evidence_used");
  f.evidence_limit = Number(fields, "evidence_limit");
  f.set_limit = Number(fields, "set_limit");
  return f;
}

}  // namespace

std::string_view ProvokedFailure::Explanation() const {
  // "...: CAUSE in LAYER, ...: explanation"
  std::string_view rest = text;
  const size_t at = rest.find(absl::StrCat(": ", cause, " in "));
  if (at == std::string_view::npos) return rest;
  rest.remove_prefix(at + 2);
  const size_t colon = rest.find(": ");
  return colon == std::string_view::npos ? rest : rest.substr(colon + 2);
}

absl::StatusOr<ProvokedFailure> Provoke(const Provocation& provocation,
                                        std::string_view backend,
                                        std::string_view ace,
                                        const std::string& program) {
  const absl::StatusOr<std::string> library = FindLibrary(
      provocation.needs_faults
          ? absl::StrCat("libhakmem-", backend, "-", ace, "-faults.so")
          : LibraryName(backend, ace));
  if (!library.ok()) return library.status();
  std::string output;
  const int status =
      Shell(absl::StrCat("LD_PRELOAD=", Quoted(*library), " ",
                         provocation.environment, " ", Quoted(program),
                         " --provoke=", provocation.name),
            output);
  if (status != 0) {
    return absl::InternalError(absl::StrCat(provocation.name, " on ", *library,
                                            " ended with status ", status));
  }
  return Parse(output);
}

}  // namespace hakmem::tools
