// Command lines, made with CLI11: the form of --help and of errors that all
// programs of the project have in common.
//
//     CLI::App app("count: prints numbers.", "count");
//     SetDefaults(app);
//     app.add_option("--most", most, "where to stop")
//         ->type_name("N")->check(WholeNumber(1, 99));
//     const absl::StatusOr<std::string> help = ParseCommandLine(app,
//     arguments);
//
// The description says in one line what the program does, the footer how it is
// called, with an example. type_name is what --help prints behind the "=". A
// flag (add_flag) that has one takes a value or none: --flag[=VALUE].
#ifndef HAKMEM_TOOLS_COMMAND_LINE_COMMAND_LINE_H_
#define HAKMEM_TOOLS_COMMAND_LINE_COMMAND_LINE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/status/statusor.h"

namespace hakmem::tools {

// Before anything is added to `app`, subcommands included. Of a flag that is
// given several times the last one counts; --help is there.
void SetDefaults(CLI::App& app);

// Checks of values. What is printed when they fail is "--flag: value: wants
// ..."; `wants` says what.
CLI::Validator Wants(const std::string& wants,
                     std::function<bool(const std::string&)> is_good);
CLI::Validator OneOf(const std::vector<std::string>& names);
// A decimal number of [low, high].
CLI::Validator WholeNumber(uint64_t low, uint64_t high);

// How many arguments, from the first one on, are flags of `app` and their
// values. Behind them may stand a command with flags of its own, which is not
// for CLI11: it would take "[a,b]" apart.
size_t CountFlags(const CLI::App& app, std::span<const std::string> arguments);

// Parses `arguments` (without the program's name). The text of --help if that
// was among them, else an empty one. The error is one line.
absl::StatusOr<std::string> ParseCommandLine(
    CLI::App& app, const std::vector<std::string>& arguments);

// As ParseCommandLine, for main: prints help, or the error behind the program's
// name. True when there is something left to do, else `status` is what to exit
// with.
bool ParseOrExplain(CLI::App& app, const std::vector<std::string>& arguments,
                    int& status);

// The folder in which the user typed the command, to which paths on the command
// line are relative: `bazel run` starts programs elsewhere, and bazelw leaves a
// folder outside the tree before that. Empty when it is gone.
std::filesystem::path UserDirectory();

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_COMMAND_LINE_COMMAND_LINE_H_
