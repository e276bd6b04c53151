#!/usr/bin/env python3
"""Runs real programs on a preloaded malloc and on libc's own.

    programs_test.py LIBRARY [PROGRAM ...]

Each program (all of programs.py, or those named) runs twice side by side, with
LIBRARY in LD_PRELOAD and without. It passes when both runs succeed and give the
same output, when the preload took effect, and when the library had nothing to
say on stderr. Programs that are not installed are skipped, and named at the
end. Exit status: 0 when none failed, 1 when one did, 2 for bad arguments.
"""

import concurrent.futures
import os
import pathlib
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True

from programs import PROGRAMS  # noqa: E402
from run import Failure, Run, Skip  # noqa: E402


def run_both(program, library):
    """Runs `program` twice; returns what to say of it, or raises Failure."""
    missing = [name for name in program.needs if shutil.which(name) is None]
    if missing:
        raise Skip(f"{', '.join(missing)} not installed")
    directory = pathlib.Path(tempfile.mkdtemp(prefix=f"{program.name}-"))
    runs = []
    try:
        for name, preload in (("libc", None), ("preloaded", library)):
            (directory / name).mkdir()
            runs.append(Run(directory / name, preload))
        with concurrent.futures.ThreadPoolExecutor(len(runs)) as pool:
            futures = [pool.submit(program.work, run) for run in runs]
        # libc's first: what fails there says nothing about the library.
        outputs = []
        for future, run in zip(futures, runs):
            try:
                outputs.append(future.result())
            except Failure as failure:
                raise Failure(f"{run.directory.name}: {failure}") from None
        if outputs[0] != outputs[1]:
            raise Failure(f"output differs: {first_difference(*outputs)}")
        if not outputs[0]:
            raise Failure("there was no output to compare")
        if runs[1].preloaded == 0:
            raise Failure("the preload took effect in no process")
        return f"same output, preloaded in {runs[1].preloaded} process(es)"
    finally:
        for run in runs:
            run.close()
        shutil.rmtree(directory, ignore_errors=True)


def first_difference(expected, actual):
    """Where two outputs part, in words."""
    expected, actual = expected.splitlines(), actual.splitlines()
    for number, (left, right) in enumerate(zip(expected, actual), start=1):
        if left != right:
            return f"line {number}: {left[:200]!r} on libc, {right[:200]!r} here"
    return f"{len(expected)} lines on libc, {len(actual)} here"


def main(arguments):
    known = {program.name: program for program in PROGRAMS}
    unknown = [name for name in arguments[1:] if name not in known]
    if not arguments:
        problem = "usage: programs_test.py LIBRARY [PROGRAM ...]"
    elif not os.path.isfile(arguments[0]):
        problem = f"programs_test.py: there is no library {arguments[0]}"
    elif unknown:
        problem = f"programs_test.py: unknown program {unknown[0]}; known: {' '.join(known)}"
    else:
        problem = None
    if problem:
        print(problem, file=sys.stderr)
        return 2

    library = os.path.realpath(arguments[0])
    results = {"ok": [], "skipped": [], "FAILED": []}
    for name in arguments[1:] or known:
        start = time.monotonic()
        try:
            verdict, reason = "ok", run_both(known[name], library)
        except Skip as skip:
            verdict, reason = "skipped", str(skip)
        except Failure as failure:
            verdict, reason = "FAILED", str(failure)
        results[verdict].append(name)
        seconds = time.monotonic() - start
        print(f"{verdict:8} {name:28} {seconds:5.1f} s  {reason}", flush=True)

    print()
    for verdict, names in results.items():
        print(f"{len(names)} {verdict}: {' '.join(names)}" if names else f"0 {verdict}")
    return 0 if results["ok"] and not results["FAILED"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
