#!/usr/bin/env python3
"""Builds and runs examples/bazel, a workspace that uses this one.

    bazel_test.py README.md     # the source tree is the folder it is in

With a Bazel of its own that keeps everything below $TEST_TMPDIR and does
not read this tree's .bazelrc, so with the flags of a project that is new to it.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

SOURCES = pathlib.Path(os.path.realpath(sys.argv.pop(1))).parent
SCRATCH = pathlib.Path(os.environ["TEST_TMPDIR"])
BAZEL = shutil.which("bazel") or shutil.which("bazelisk")


def bazel(*arguments):
    """Runs Bazel in the workspace of the example; returns its stdout."""
    command = [BAZEL, "--nohome_rc", "--max_idle_secs=60",
               f"--output_user_root={SCRATCH}/bazel", *arguments]
    result = subprocess.run(
        command, cwd=SOURCES / "examples/bazel", text=True,
        env={"HOME": str(SCRATCH), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE)
    if result.returncode:
        raise AssertionError(f"{command} exited with {result.returncode}")
    return result.stdout


def build(target, *flags):
    """Builds `target` and returns the program's path."""
    links = SCRATCH / "out"
    bazel("build", "--nosandbox_debug", "--show_progress_rate_limit=20",
          f"--symlink_prefix={links}/", *flags, target)
    return links / "bin" / target.lstrip("/:")


def output_of(*command):
    return subprocess.run(command, text=True, check=True,
                          stdout=subprocess.PIPE).stdout


@unittest.skipUnless(BAZEL, "no bazel or bazelisk on the PATH")
class BazelTest(unittest.TestCase):
    """The workspace, built without any flag but those that a case is about."""

    @classmethod
    def setUpClass(cls):
        cls.server = build("//:server")

    @classmethod
    def tearDownClass(cls):
        bazel("shutdown")

    def test_the_attribute_malloc_replaces_it(self):
        self.assertRegex(output_of(self.server),
                         r"^1000 texts on \d+\.\d+\.\d+ \(segment, ace ")

    def test_the_allocator_is_optimised(self):
        # Without optimisation it is short, and calls others.
        listing = output_of("objdump", "-d", self.server)
        malloc = re.search(r"<(__libc_)?malloc>:\n(.+\n)+", listing)[0]
        self.assertNotIn("call", malloc)

    def test_without_the_attribute_malloc_is_the_systems(self):
        self.assertEqual(output_of(build("//:client")),
                         "1000 texts on the system's malloc\n")

    def test_custom_malloc_replaces_it(self):
        client = build("//:client", "--custom_malloc=@hakmem//:hakmem")
        self.assertRegex(output_of(client), r"^1000 texts on \d+\.\d+\.\d+ ")

    def test_the_flags_choose_the_variant(self):
        # Without building: what the flag selects.
        selected = bazel("cquery", "--nosandbox_debug",
                         "--@hakmem//backend=superslab", "deps(//:server)")
        self.assertIn("@hakmem//backend/superslab:superslab ", selected)

    def test_no_development_dependency_is_fetched(self):
        base = pathlib.Path(bazel("info", "output_base").strip())
        fetched = {path.name for path in (base / "external").iterdir()
                   if not path.name.startswith(("@", "local_"))}
        self.assertLessEqual(fetched, {
            "bazel_skylib", "bazel_tools", "com_google_absl", "hakmem",
            "hakmem_debian_archives", "platforms", "rules_cc", "rules_java"})


if __name__ == "__main__":
    unittest.main()
