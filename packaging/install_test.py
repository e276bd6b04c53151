#!/usr/bin/env python3
"""Installs and removes the library with //packaging:install."""

import json
import os
import pathlib
import platform
import re
import resource
import subprocess
import sys
import tempfile
import unittest

INSTALLER = os.path.abspath("packaging/install.py")
LIBRARIES = ["libhakmem", "libhakmem-checks", "libhakmem-full",
             "libhakmem-superslab"]


def contents(root):
    """Path -> bytes, or where a link points to, of all that is below `root`."""
    found = {}
    for path in pathlib.Path(root).rglob("*"):
        if path.is_symlink():
            found[str(path)] = os.readlink(path)
        else:
            found[str(path)] = path.is_file() and path.read_bytes()
    return found


def output_of(*command, **options):
    return subprocess.run(command, text=True, check=True, timeout=60,
                          stdout=subprocess.PIPE, **options).stdout


class InstallTest(unittest.TestCase):
    """Each in a folder of its own, below the prefix /usr/local."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ["TEST_TMPDIR"])
        self.addCleanup(folder.cleanup)
        self.destdir = pathlib.Path(folder.name)
        self.root = self.destdir / "usr/local"
        self.list = self.root / "share/hakmem/installed.json"

    def run_installer(self, *flags, **options):
        """Runs it with `flags` and this folder; returns the process."""
        return subprocess.run(
            [sys.executable, INSTALLER, f"--destdir={self.destdir}", *flags],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=60, **options)

    def expect_done(self, *flags):
        result = self.run_installer(*flags)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout.count("\n"), 1)
        return result.stdout

    def expect_refused(self, line, *flags, **options):
        """Expects one line that matches, and that nothing was changed."""
        before = contents(self.destdir)
        result = self.run_installer(*flags, **options)
        self.assertRegex(result.stderr, f"^install: {line}\n$")
        self.assertEqual(result.stdout, "")
        self.assertEqual(contents(self.destdir), before)
        return result.returncode

    # --- What is installed -------------------------------------------------

    def test_everything_is_there_and_goes_away(self):
        self.expect_done()
        for path in ["bin/hakmem", "include/hakmem/hakmem.h",
                     "include/hakmem/hakmem.hpp",
                     "lib/libhakmem.a", "lib/pkgconfig/hakmem.pc",
                     "lib/pkgconfig/hakmem-static.pc",
                     "lib/cmake/hakmem/hakmem-config.cmake",
                     "lib/cmake/hakmem/hakmem-config-version.cmake",
                     "share/man/man1/hakmem.1", "share/man/man3/hakmem.3",
                     "share/doc/hakmem/LICENSE"]:
            self.assertTrue((self.root / path).is_file(), path)
        for library in LIBRARIES:
            self.assertTrue((self.root / f"lib/{library}.so.1").is_file())
            self.assertEqual(os.readlink(self.root / f"lib/{library}.so"),
                             f"{library}.so.1")
        self.assertFalse([path for path in contents(self.root)
                          if "/.hakmem" in path])
        self.assertRegex(self.expect_done("--uninstall"),
                         r"^HAKMEM [\d.]+ is removed from ")
        self.assertEqual(contents(self.destdir), {})

    def test_all_users_may_read_it(self):
        result = self.run_installer(preexec_fn=lambda: os.umask(0o077))
        self.assertEqual(result.returncode, 0)
        for path in contents(self.root):
            if path != str(self.list):
                self.assertTrue(os.stat(path).st_mode & 0o004, path)

    def test_libdir_and_prefix_are_named_in_the_texts(self):
        self.expect_done("--prefix=/opt/x", "--libdir=lib/some-linux-gnu")
        text = (self.destdir / "opt/x/lib/some-linux-gnu/pkgconfig/hakmem.pc"
                ).read_text()
        self.assertIn("prefix=/opt/x\n", text)
        self.assertIn("libdir=${prefix}/lib/some-linux-gnu\n", text)
        for path, data in contents(self.destdir).items():
            if path.endswith((".pc", ".cmake", ".1", ".3")):
                self.assertNotRegex(data, rb"@[A-Z]+@", path)
        self.expect_done("--prefix=/opt/x", "--uninstall")
        self.assertEqual(contents(self.destdir), {})

    def test_libraries_have_their_own_names(self):
        self.expect_done()
        for library in LIBRARIES:
            dynamic = output_of("readelf", "-d",
                                self.root / f"lib/{library}.so.1")
            self.assertIn(f"soname: [{library}.so.1]", dynamic)
            self.assertEqual(re.findall(r"Shared library: \[(.*)\]", dynamic),
                             ["libc.so.6"])

    def test_a_preloaded_library_serves_a_program(self):
        self.expect_done()
        for library in LIBRARIES:
            file = self.root / f"lib/{library}.so.1"
            statistics = self.destdir / "statistics"
            output_of("/bin/ls", env={
                "LD_PRELOAD": str(file),
                "HAKMEM_STATS_AT_EXIT": str(statistics)})
            backend = "superslab" if "superslab" in library else "segment"
            figures = json.loads(statistics.read_text().splitlines()[-1])
            self.assertEqual(figures["backend"], backend)
            self.assertGreater(figures["live_bytes"], 0)

    def test_the_static_library_shows_only_the_interface(self):
        self.expect_done()
        # Number, value, size, type, binding, visibility, section, name.
        symbols = [line.split() for line in output_of(
            "readelf", "--symbols", "--wide",
            self.root / "lib/libhakmem.a").splitlines()]
        defined = {symbol[7] for symbol in symbols
                   if len(symbol) == 8 and symbol[4] != "LOCAL" and
                   symbol[5] == "DEFAULT" and symbol[6].isdigit()}
        shared = output_of(
            "nm", "-D", "--defined-only", "--without-symbol-versions",
            self.root / "lib/libhakmem.so.1").split()
        self.assertIn("malloc", defined)
        self.assertEqual(defined - set(shared), set())

    def test_the_tool_finds_the_libraries(self):
        self.expect_done("--libdir=lib/x-linux-gnu")
        tool = self.root / "bin/hakmem"
        for flags, name in (((), "libhakmem.so.1"), (
                ("--backend=superslab",), "libhakmem-superslab.so.1")):
            # The library or, where others cannot read it, a copy.
            preloaded = output_of(
                tool, *flags, "--", "sh", "-c",
                f"cmp $LD_PRELOAD {self.root}/lib/x-linux-gnu/{name};"
                "basename $LD_PRELOAD")
            self.assertEqual(preloaded, name + "\n")
        missing = subprocess.run([tool, "--ace=off", "--", "true"], text=True,
                                 stderr=subprocess.PIPE)
        self.assertEqual(missing.returncode, 2)
        self.assertRegex(missing.stderr,
                         r"^hakmem: /\S+/libhakmem-ace_off.so.1 is not "
                         r"installed\n$")

    def test_the_manual_names_every_function_and_option(self):
        self.expect_done()
        header = (self.root / "include/hakmem/hakmem.h").read_text()
        functions = (self.root / "share/man/man3/hakmem.3").read_text()
        named = set(re.findall(r"\bhakmem_\w+(?=\()", header))
        self.assertGreater(len(named), 30)
        for function in named:
            self.assertRegex(functions, rf"\.BI? .*\b{function}\(", function)
        command = (self.root / "share/man/man1/hakmem.1").read_text()
        usage = output_of(self.root / "bin/hakmem", "--help")
        for flag in set(re.findall(r"--[a-z][a-z-]+", usage)):
            self.assertIn(flag.replace("-", r"\-"), command)
        self.assertIn(".B HAKMEM_DECAY\n", command)

    # --- What is there before ----------------------------------------------

    def test_again_changes_nothing(self):
        self.expect_done()
        before = contents(self.destdir)
        self.expect_done()
        self.assertEqual(contents(self.destdir), before)

    def test_an_incomplete_installation_is_completed(self):
        self.expect_done()
        before = contents(self.destdir)
        (self.root / "lib/libhakmem.so.1").unlink()
        (self.root / "lib/libhakmem.a").write_text("half of it")
        self.assertIn("where part of it was missing", self.expect_done())
        self.assertEqual(contents(self.destdir), before)

    def test_another_version_stays_unless_it_is_to_be_replaced(self):
        self.expect_done()
        self.become("0.1.0")
        (self.root / "lib/libold.so").write_text("of 0.1.0")
        status = self.expect_refused(
            r"HAKMEM 0\.1\.0 is installed below \S+: --replace puts \S+ in "
            r"its place")
        self.assertEqual(status, 1)
        self.expect_done("--replace")
        self.assertFalse((self.root / "lib/libold.so").exists())
        self.assertNotIn("0.1.0", self.list.read_text())
        self.expect_done("--uninstall")
        self.assertEqual(contents(self.destdir), {})

    def become(self, version):
        """Makes an installation one of `version`, with a file of its own."""
        data = json.loads(self.list.read_text())
        data["version"] = version
        data["files"]["lib/libold.so"] = ["-> nowhere"]
        self.list.write_text(json.dumps(data))

    def test_what_others_put_there_stays(self):
        other = self.root / "lib/libhakmem.so.1"
        other.parent.mkdir(parents=True)
        other.write_text("another's")
        status = self.expect_refused(
            rf"{other} is there already, and not of this installer")
        self.assertEqual(status, 1)
        self.assertEqual(
            self.expect_refused(rf"no HAKMEM is installed below {self.root}",
                                "--uninstall"), 1)
        other.unlink()
        self.expect_done()
        other.unlink()
        other.write_text("another's")
        note = self.root / "include/note"
        note.write_text("of the user")
        self.assertRegex(self.expect_done("--uninstall"),
                         rf"; kept, since it was changed: {other}\n$")
        self.assertEqual({path for path, data in contents(self.root).items()
                          if data is not False}, {str(other), str(note)})

    # --- What goes wrong ---------------------------------------------------

    def test_what_cannot_be_written_is_one_line(self):
        (self.destdir / "usr").write_text("a file")
        self.assertEqual(
            self.expect_refused(rf"{self.destdir}/usr is not a folder"), 1)
        # No one, not even root, may make anything in these.
        for prefix in "/proc/hakmem", "/proc/sys/hakmem":
            self.assertEqual(
                self.expect_refused(
                    "(/proc(/sys)? is not writable for this user|.*No such "
                    "file.*)", "--destdir=", f"--prefix={prefix}"), 1)

    def test_a_full_disk_leaves_nothing(self):
        def limit_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000))
        self.assertEqual(
            self.expect_refused(".*File too large.*", preexec_fn=limit_files),
            1)
        # And of another version all.
        self.expect_done()
        self.become("0.1.0")
        self.expect_refused(".*File too large.*", "--replace",
                            preexec_fn=limit_files)

    def test_a_kill_at_any_time_can_be_mended(self):
        killed = 0
        for delay in [0.02 * step for step in range(12)]:
            process = subprocess.Popen(
                [sys.executable, INSTALLER, f"--destdir={self.destdir}"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
            self.expect_done()
            self.expect_done("--uninstall")
            # Folders may remain of which the list did not know yet.
            self.assertEqual([path for path, data in
                              contents(self.destdir).items()
                              if data is not False], [])
        self.assertGreater(killed, 0)

    def test_a_damaged_list_is_one_line(self):
        self.expect_done()
        self.list.write_text("{")
        for flags in [], ["--uninstall"]:
            self.assertEqual(
                self.expect_refused(rf"{self.list} is damaged: .*", *flags), 1)

    def test_bad_command_lines_are_one_line(self):
        for line, flag in [
                (r"argument --prefix: usr: wants an absolute path .*",
                 "--prefix=usr"),
                (r"argument --prefix: /a b: LD_PRELOAD cannot .*",
                 "--prefix=/a b"),
                (r"argument --libdir: ../x: wants a path below .*",
                 "--libdir=../x"),
                (r"unrecognized arguments: --pre=/x .*", "--pre=/x")]:
            self.assertEqual(self.expect_refused(line, flag), 2)

    @unittest.skipUnless(platform.machine() == "x86_64", "for x86_64")
    def test_another_processors_libraries_are_one_line(self):
        # The installer believes what the machine says of itself.
        self.assertEqual(self.expect_refused(
            "these libraries are for x86_64, this is i686: give a --destdir",
            "--destdir=", f"--prefix={self.destdir}/x",
            preexec_fn=be_32_bits), 1)


def be_32_bits():
    """Makes uname(2) say i686 in this process (personality(2), PER_LINUX32)."""
    import ctypes  # pylint: disable=import-outside-toplevel
    ctypes.CDLL(None).personality(8)


if __name__ == "__main__":
    unittest.main()
