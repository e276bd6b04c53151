#!/usr/bin/env python3
"""Builds and runs examples/installed against an installed library.

The library is installed below $TEST_TMPDIR, and each build system that there is
builds all programs in a folder of its own.
"""

import os
import pathlib
import shutil
import subprocess
import unittest

SOURCES = pathlib.Path("examples/installed").absolute()
SCRATCH = pathlib.Path(os.environ["TEST_TMPDIR"])
PREFIX = SCRATCH / "prefix"
LIBRARY = PREFIX / "lib/libhakmem.so.1"
ON_HAKMEM = r"^500500 letters on \d+\.\d+\.\d+ \(segment, ace adaptive, .*\)\n$"


def run(*command, **options):
    """Runs a command that must succeed; returns its stdout."""
    result = subprocess.run(
        [str(word) for word in command], text=True, timeout=200,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if result.returncode:
        raise AssertionError(
            f"{command} exited with {result.returncode}:\n{result.stdout}")
    return result.stdout


def with_variables(**variables):
    return dict(os.environ, **variables)


def needed(program):
    """The shared libraries that a program names."""
    lines = run("readelf", "-d", program).splitlines()
    return [line.split("[")[1].rstrip("]") for line in lines
            if "(NEEDED)" in line]


class Programs:
    """What is checked of the programs that any build system has made."""

    tools = []  # commands that are needed

    @classmethod
    def setUpClass(cls):
        missing = [tool for tool in cls.tools if not shutil.which(tool)]
        if missing:
            raise unittest.SkipTest(f"not installed: {', '.join(missing)}")
        if not LIBRARY.exists():
            run("packaging/install", f"--prefix={PREFIX}")
        cls.folder = SCRATCH / cls.__name__
        shutil.copytree(SOURCES, cls.folder)
        cls.build()

    @classmethod
    def build(cls):
        raise NotImplementedError

    def program(self, name):
        return self.folder / name

    def test_preload(self):
        plain = self.program("plain")
        self.assertEqual(run(plain), "500500 letters on the system's malloc\n")
        self.assertRegex(
            run(plain, env=with_variables(LD_PRELOAD=str(LIBRARY))), ON_HAKMEM)

    def test_dynamic(self):
        self.assertRegex(run(self.program("dynamic")), ON_HAKMEM)
        self.assertIn("libhakmem.so.1", needed(self.program("dynamic")))

    def test_static(self):
        self.assertRegex(run(self.program("static")), ON_HAKMEM)
        # A program in C gets no other library by it.
        self.assertEqual(needed(self.program("static")), ["libc.so.6"])

    def test_beside_another_malloc(self):
        self.assertEqual(
            run(self.program("beside"), LIBRARY),
            "malloc took nothing of HAKMEM, hakmem_malloc a block\n")
        self.assertNotIn("libhakmem.so.1", needed(self.program("beside")))

    def test_pmr(self):
        self.assertEqual(run(self.program("pmr")),
                         "100000 letters in HAKMEM's blocks\n")

    def test_stl(self):
        self.assertEqual(
            run(self.program("stl")),
            "999 squared is 998001; asked for 1000 bytes, got more\n")

    def test_failure_callback(self):
        self.assertRegex(
            run(self.program("failure")),
            r"^MapFail: malloc of 2 GiB: .*RLIMIT_AS.*\n"
            r"malloc returned NULL, and the program goes on\n$")


class MakeTest(Programs, unittest.TestCase):
    tools = ["make", "pkg-config", "cc", "c++"]

    @classmethod
    def build(cls):
        run("make", "-C", cls.folder, env=with_variables(
            PKG_CONFIG_PATH=f"{PREFIX}/lib/pkgconfig"))

    def test_fully_static(self):
        self.assertRegex(run(self.program("fully_static")), ON_HAKMEM)
        self.assertEqual(needed(self.program("fully_static")), [])

    def test_malloc_that_only_others_call(self):
        """The options of hakmem.pc keep the library; its name alone does not."""
        source = self.folder / "indirect.c"
        source.write_text("int puts(const char*);\n"
                          "int main(void) { return puts(\"\") < 0; }\n")
        for package, has_it in ("hakmem", ["libhakmem.so.1"]), (
                "hakmem-static", []):
            flags = run("pkg-config", "--libs", package, env=with_variables(
                PKG_CONFIG_PATH=f"{PREFIX}/lib/pkgconfig")).split()
            program = self.folder / "indirect"
            run("cc", "-Wl,--as-needed", source, "-o", program, *flags)
            self.assertEqual(needed(program), has_it + ["libc.so.6"])
            if not has_it:
                self.assertIn(" T malloc\n", run("nm", "-D", program))

    def test_a_folder_of_packages_is_found_by_its_sysroot(self):
        run("packaging/install", f"--destdir={SCRATCH}/root", "--prefix=/opt/x")
        flags = run("pkg-config", "--cflags", "--libs", "hakmem",
                    env=with_variables(
                        PKG_CONFIG_SYSROOT_DIR=f"{SCRATCH}/root",
                        PKG_CONFIG_PATH=f"{SCRATCH}/root/opt/x/lib/pkgconfig"))
        self.assertIn(f"-I{SCRATCH}/root/opt/x/include", flags.split())
        self.assertIn(f"-L{SCRATCH}/root/opt/x/lib", flags.split())


class CMakeTest(Programs, unittest.TestCase):
    tools = ["cmake", "make", "cc", "c++"]

    @classmethod
    def build(cls):
        run("cmake", "-S", cls.folder, "-B", cls.folder / "build",
            f"-DCMAKE_PREFIX_PATH={PREFIX}")
        run("cmake", "--build", cls.folder / "build")

    def program(self, name):
        return self.folder / "build" / name

    def configure(self, prefix, version):
        """What CMake says of a project that asks for `version`."""
        project = SCRATCH / f"asks_for_{version}"
        project.mkdir(exist_ok=True)
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.13)\nproject(x C)\n"
            f"find_package(hakmem {version} REQUIRED)\n")
        return subprocess.run(
            ["cmake", "-S", project, "-B", project / prefix.name,
             f"-DCMAKE_PREFIX_PATH={prefix}"],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_other_versions_are_refused(self):
        self.assertEqual(self.configure(PREFIX, "0.1").returncode, 0)
        for version in "0.99", "1.0":
            result = self.configure(PREFIX, version)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(f'requested version "{version}"', result.stdout)

    def test_an_incomplete_installation_is_refused(self):
        broken = SCRATCH / "broken"
        shutil.copytree(PREFIX, broken, symlinks=True)
        (broken / "lib/libhakmem.a").unlink()
        result = self.configure(broken, "0.2")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("lib/libhakmem.a is missing",
                      " ".join(result.stdout.split()))

    def test_it_may_be_moved(self):
        moved = SCRATCH / "moved"
        shutil.copytree(PREFIX, moved, symlinks=True)
        self.assertEqual(self.configure(moved, "0.2").returncode, 0)


class MesonTest(Programs, unittest.TestCase):
    tools = ["meson", "ninja", "pkg-config", "cc", "c++"]

    @classmethod
    def build(cls):
        run("meson", "setup", cls.folder / "build", cls.folder,
            env=with_variables(PKG_CONFIG_PATH=f"{PREFIX}/lib/pkgconfig"))
        run("ninja", "-C", cls.folder / "build")

    def program(self, name):
        return self.folder / "build" / name


if __name__ == "__main__":
    unittest.main(verbosity=2)
