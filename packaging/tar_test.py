#!/usr/bin/env python3
"""Unpacks the archive of //packaging:tar in some folder and uses it there.

    tar_test.py ARCHIVE CHECKSUM
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ARCHIVE, CHECKSUM = [pathlib.Path(sys.argv.pop(1)) for _ in range(2)]
SCRATCH = pathlib.Path(os.environ["TEST_TMPDIR"])


def output_of(*command, **options):
    return subprocess.run(command, text=True, check=True, timeout=60,
                          stdout=subprocess.PIPE, **options).stdout


class TarTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        output_of("tar", "-xzf", ARCHIVE, "-C", SCRATCH)
        (unpacked,) = SCRATCH.glob("hakmem-*")
        # Where nobody expected it.
        cls.root = unpacked.rename(SCRATCH / "elsewhere")
        cls.pkg_config = {
            **os.environ, "PKG_CONFIG_PATH": f"{cls.root}/lib/pkgconfig"}

    def test_checksums_are_right(self):
        output_of("sha256sum", "--check", CHECKSUM.absolute(),
                  cwd=ARCHIVE.parent)
        checked = output_of("sha256sum", "--check", "--strict", "SHA256SUMS",
                            cwd=self.root)
        files = [path for path in self.root.rglob("*")
                 if path.is_file() and not path.is_symlink()]
        self.assertEqual(len(checked.splitlines()), len(files) - 1)

    def test_its_name_says_what_it_is(self):
        self.assertRegex(ARCHIVE.name,
                         r"^hakmem-\d+\.\d+\.\d+-linux-\w+\.tar\.gz$")
        listed = output_of("tar", "-tzf", ARCHIVE).splitlines()
        self.assertEqual({path.split("/")[0] for path in listed},
                         {ARCHIVE.name[:-len(".tar.gz")]})
        self.assertFalse([path for path in listed if ".." in path])

    def test_the_tool_runs_on_its_own_library(self):
        # Of the library, or where others cannot read it of a copy.
        self.assertEqual(
            output_of(self.root / "bin/hakmem", "--", "sh", "-c",
                      f"cmp $LD_PRELOAD {self.root}/lib/libhakmem.so.1;"
                      "basename $LD_PRELOAD"), "libhakmem.so.1\n")

    @unittest.skipUnless(shutil.which("pkg-config") and shutil.which("cc"),
                         "no pkg-config or no cc is installed")
    def test_programs_find_it_by_pkg_config(self):
        source = SCRATCH / "program.c"
        source.write_text("#include <hakmem/hakmem.h>\n#include <stdio.h>\n"
                          "int main(void) { puts(hakmem_version()); }\n")
        for package in "hakmem", "hakmem-static":
            flags = output_of("pkg-config", "--cflags", "--libs", package,
                              env=self.pkg_config).split()
            program = SCRATCH / package
            output_of("cc", source, "-o", program,
                      f"-Wl,-rpath,{self.root}/lib", *flags)
            self.assertTrue(re.match(r"\d+\.\d+\.\d+ \(segment", output_of(
                program)))


if __name__ == "__main__":
    unittest.main()
