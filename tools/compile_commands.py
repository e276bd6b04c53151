#!/usr/bin/env python3
"""Writes compile_commands.json, for clang-tidy, clangd and editors.

Usage: tools/compile_commands.py [OUTPUT]   (default: compile_commands.json)

Asks Bazel how it compiles every file of the tree. Paths in the commands are
made absolute, so that tools need not run where Bazel does; headers that a build
makes are found after a build (./bazelw build //...).
"""

import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Options that gcc has and clang's tools stop at.
GCC_ONLY = {"-fno-canonical-system-headers", "-fno-semantic-interposition"}


def bazel(*arguments):
    """Returns what a Bazel command prints."""
    command = [ROOT / "bazelw", *arguments]
    result = subprocess.run(command, cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if result.returncode:
        sys.stderr.write(result.stderr)
        sys.exit(f"compile_commands.py: bazelw {arguments[0]} failed")
    return result.stdout


def main():
    if len(sys.argv) > 2 or any(a.startswith("-") for a in sys.argv[1:]):
        print("usage: compile_commands.py [OUTPUT]", file=sys.stderr)
        return 2
    output = sys.argv[1] if len(sys.argv) > 1 else ROOT / "compile_commands.json"

    execution_root = bazel("info", "execution_root").strip()
    output_base = bazel("info", "output_base").strip()
    folders = {"external": output_base, "bazel-out": execution_root}

    def absolute(argument):
        """Makes the path absolute that an option, or all of it, consists of."""
        match = re.fullmatch(r"(-I|-L)?(external|bazel-out)(/.*)?", argument)
        if match:
            option, folder, rest = match.groups("")
            return option + os.path.join(folders[folder], folder) + rest
        return str(ROOT) if argument == "." else argument

    graph = json.loads(bazel("aquery", "--output=jsonproto",
                             'mnemonic("CppCompile", //...)'))
    commands = {}
    for action in graph.get("actions", []):
        arguments = [a for a in action["arguments"] if a not in GCC_ONLY]
        if "-c" not in arguments:
            continue
        source = arguments[arguments.index("-c") + 1]
        # A file compiled for several variants is listed once.
        if source.endswith((".c", ".cc")) and (ROOT / source).exists():
            commands.setdefault(source, {
                "directory": str(ROOT),
                "file": source,
                "arguments": [absolute(a) for a in arguments],
            })
    with open(output, "w", encoding="utf-8") as stream:
        json.dump([commands[name] for name in sorted(commands)], stream, indent=1)
        stream.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
