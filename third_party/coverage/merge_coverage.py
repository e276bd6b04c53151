#!/usr/bin/env python3
"""Joins coverage records into one lcov file, for `bazel coverage` with gcc.

Bazel runs it after each test with --coverage_dir (a folder that holds what
gcov wrote, *.gcov.json.gz) and, when a combined report is asked, once more
with --reports_file (a list of the files made by the first kind of run).
Options of Bazel that make no difference here are accepted and ignored.
"""

import argparse
import collections
import glob
import gzip
import json
import os
import re


def add_gcov(path, lines, functions):
    """Adds the counts of one gcov file, in gcov's JSON format."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        report = json.load(stream)
    for source in report["files"]:
        name = source["file"]
        for line in source["lines"]:
            lines[name][line["line_number"]] += line["count"]
        for function in source["functions"]:
            key = (function["start_line"], function["name"])
            functions[name][key] += function["execution_count"]


def add_lcov(path, lines, functions):
    """Adds the counts of one lcov file of our own making."""
    name, starts = None, {}
    with open(path, encoding="utf-8") as stream:
        for record in stream:
            kind, _, value = record.strip().partition(":")
            if kind == "SF":
                name, starts = value, {}
            elif kind == "FN":
                line, function = value.split(",", 1)
                starts[function] = int(line)
            elif kind == "FNDA":
                count, function = value.split(",", 1)
                functions[name][starts[function], function] += int(count)
            elif kind == "DA":
                line, count = value.split(",")[:2]
                lines[name][int(line)] += int(count)


def write_lcov(path, lines, functions):
    """Writes one lcov record per source file."""
    with open(path, "w", encoding="utf-8") as stream:
        for name in sorted(lines):
            print(f"SF:{name}", file=stream)
            counts = sorted(functions[name].items())
            for (line, function), _ in counts:
                print(f"FN:{line},{function}", file=stream)
            for (_, function), count in counts:
                print(f"FNDA:{count},{function}", file=stream)
            print(f"FNF:{len(counts)}", file=stream)
            print(f"FNH:{sum(1 for _, n in counts if n)}", file=stream)
            for line, count in sorted(lines[name].items()):
                print(f"DA:{line},{count}", file=stream)
            print(f"LH:{sum(1 for n in lines[name].values() if n)}", file=stream)
            print(f"LF:{len(lines[name])}", file=stream)
            print("end_of_record", file=stream)


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--coverage_dir")
    parser.add_argument("--reports_file")
    parser.add_argument("--output_file", required=True)
    parser.add_argument("--filter_sources", action="append", default=[])
    options, _ = parser.parse_known_args()

    lines = collections.defaultdict(collections.Counter)
    functions = collections.defaultdict(collections.Counter)
    if options.coverage_dir:
        pattern = os.path.join(options.coverage_dir, "**", "*.gcov.json.gz")
        for path in glob.glob(pattern, recursive=True):
            add_gcov(path, lines, functions)
    if options.reports_file:
        with open(options.reports_file, encoding="utf-8") as stream:
            for path in stream.read().split():
                add_lcov(path, lines, functions)

    unwanted = [re.compile(expression) for expression in options.filter_sources]
    for name in list(lines):
        if any(expression.fullmatch(name) for expression in unwanted):
            del lines[name]
    write_lcov(options.output_file, lines, functions)


if __name__ == "__main__":
    main()
