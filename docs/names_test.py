#!/usr/bin/env python3
"""What the documents name exists: files, targets, options of the environment.

    names_test.py README.md     # the other documents are found from its folder

Of a target that a macro makes only the beginning is looked for: "misuse_test"
of //tests/blackbox/misuse:misuse_test_segment; a file of that name is enough, for
macros take all tests of a folder. Reads the source tree, not what Bazel copies.
"""

import glob
import os
import re
import sys

_FILE = re.compile(
    r"`([\w./-]+\.(?:bazel|bzl|cc|def|golden|h|json|md|py|sh))`"
    r"|\]\(([^)#:]+)[)#]")
_TARGET = re.compile(r"(?<![\w@/:-])//([\w/]*)(?::([\w.{},-]*[\w}]))?")
_TEST = re.compile(r"`(\w+_test)`")
_OPTION = re.compile(r"\bHAKMEM_[A-Z_]+[A-Z]\b")


def expand(text):
    """`a{b,c}` is `ab` and `ac`, as for a shell."""
    braces = re.search(r"{([^{}]*)}", text)
    if not braces:
        return [text]
    return [whole for part in braces[1].split(",")
            for whole in expand(text[:braces.start()] + part +
                                text[braces.end():])]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def source_files():
    """All files of the tree, as paths from its root."""
    found = set()
    for folder, folders, files in os.walk("."):
        folders[:] = [name for name in folders
                      if name != "out" and not name.startswith(".")]
        found.update(os.path.normpath(os.path.join(folder, name))
                     for name in files)
    return found


def is_file(name, document, files):
    here = os.path.normpath(os.path.join(os.path.dirname(document), name))
    # A name alone is that of a file wherever it lies.
    return (name in files or os.path.exists(here) or
            "/" not in name and any(os.path.basename(f) == name for f in files))


def starts(name):
    """`a_b` is itself, `a_` and `a`."""
    return {name} | {name[:at + keep] for at, letter in enumerate(name)
                     if letter in "_-" for keep in (0, 1)}


def is_target(package, target):
    build = os.path.join(package, "BUILD.bazel")
    if target in (None, "all"):
        return os.path.isdir(package or ".")
    if not os.path.exists(build):
        return False
    rules = read(build) + "".join(map(read, glob.glob(
        os.path.join(glob.escape(package), "*.bzl"))))
    # A whole string, or one up to what a macro puts in.
    return any('"%s%s' % (start, end) in rules
               for start in starts(target) for end in '"%') or any(
        os.path.exists(os.path.join(package, start + ".cc"))
        for start in starts(target))


def wrong_names(document, files, sources):
    text = read(document)
    for match in _FILE.finditer(text):
        name = match[1] or match[2]
        if not is_file(name, document, files):
            yield "file " + name
    for match in _TEST.finditer(text):
        if not any(is_file(match[1] + end, document, files)
                   for end in (".cc", ".c", ".py")):
            yield "test " + match[1]
    for match in _TARGET.finditer(text):
        for target in expand(match[2]) if match[2] else [None]:
            if not is_target(match[1].rstrip("/"), target):
                yield "target //" + match[1] + (":" + target if target else "")
    for option in sorted(set(_OPTION.findall(text))):
        if option not in sources and '%s,' % option[7:] not in sources:
            yield "option " + option


def main():
    os.chdir(os.path.dirname(os.path.realpath(sys.argv[1])))
    files = source_files()
    sources = "".join(read(f) for f in files
                      if f.endswith((".bzl", ".cc", ".def", ".h")))
    documents = sorted(f for f in files if f.endswith(".md"))
    wrong = ["%s names the %s, which there is not" % (document, name)
             for document in documents
             for name in wrong_names(document, files, sources)]
    print("\n".join(wrong))
    return 1 if wrong or len(documents) < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
