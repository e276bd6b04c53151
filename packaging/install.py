#!/usr/bin/env python3
"""Installs HAKMEM below a prefix, and removes it again.

    ./bazelw run //packaging:install -- --prefix=/usr/local

All or nothing: what is to be installed is checked against what is there, then
written under names of its own in the folders where it is to lie, and renamed
last. What fails or is interrupted before the end is undone. A list of what is
installed, share/hakmem/installed.json, is what --uninstall goes by.

Exit status: 0 done; 1 it cannot be done, and nothing was changed; 2 bad command
line.
"""

import argparse
import hashlib
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import tree  # noqa: E402

_LIST = "share/hakmem/installed.json"
# Names of files that are not in place yet, and of those that were replaced.
_NEW = ".hakmem-new-"
_OLD = ".hakmem-old-"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# By the number in an ELF file's header.
_PROCESSORS = {62: "x86_64", 183: "aarch64"}


class Problem(Exception):
    """Why nothing was done: one line."""


def fingerprint(entry):
    """What tells a file or link from another that lies at its path."""
    return "-> " + entry.target if entry.target else hashlib.sha256(
        entry.data).hexdigest()


def fingerprint_at(path):
    """The same of what lies at `path`; "" when nothing does."""
    if path.is_symlink():
        return "-> " + os.readlink(path)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def beside(path, mark):
    """The path under which a file waits in the folder of `path`."""
    return path.with_name(mark + path.name)


class Installed:
    """The list of what is installed below `root`."""

    def __init__(self, root):
        self.path = root / _LIST
        self.version = ""  # none is installed
        self.complete = False
        self.files = {}  # path -> fingerprints, of which it has one
        self.folders = []  # made for it, outermost first
        if not self.path.exists():
            return
        try:
            data = json.loads(self.path.read_text())
            self.version = data["version"]
            self.complete = data["complete"]
            self.files = dict(data["files"])
            self.folders = list(data["folders"])
        except (KeyError, TypeError, ValueError):
            raise Problem(f"{self.path} is damaged: remove what it is about by "
                          "hand, and it last") from None

    def entry(self):
        """The file that holds the list."""
        text = json.dumps({
            "version": self.version, "complete": self.complete,
            "folders": self.folders, "files": self.files}, indent=1)
        return tree.Entry(_LIST, 0o644, text.encode() + b"\n")


def nearest_folder(path):
    """The nearest folder above `path` that exists; raises Problem if none can.

    Nothing but a folder may be where one is needed.
    """
    for folder in path.parents:
        if folder.is_dir():
            return folder
        if folder.is_symlink() or folder.exists():
            raise Problem(f"{folder} is not a folder")
    raise Problem(f"{path}: no such folder")


def require_writable(paths):
    """Raises Problem unless files can be made and removed at all of `paths`."""
    for folder in sorted({nearest_folder(path) for path in paths}):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Problem(f"{folder} is not writable for this user")


def require_own_processor(entries, destdir):
    """Raises Problem for libraries that this machine cannot run."""
    for entry in entries:
        if entry.path.endswith(".so.1"):
            number = int.from_bytes(entry.data[18:20], "little")
            built_for = _PROCESSORS.get(number, f"ELF machine {number}")
            if not destdir and built_for != platform.machine():
                raise Problem(f"these libraries are for {built_for}, this is "
                              f"{platform.machine()}: give a --destdir")


def is_there(path):
    return path.is_symlink() or path.exists()


class Changes:
    """Changes of the file system that are undone when they end in an exception."""

    def __init__(self):
        self._undo = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            return
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        for step in reversed(self._undo):
            try:
                step()
            except OSError:
                pass  # Undo what can be undone.

    def make_folder(self, path):
        path.mkdir()
        self._undo.append(path.rmdir)
        path.chmod(0o755)

    def write(self, path, entry):
        """Writes a file or link that waits beside `path`."""
        new = beside(path, _NEW)
        new.unlink(missing_ok=True)
        self._undo.append(lambda: new.unlink(missing_ok=True))
        if entry.target:
            new.symlink_to(entry.target)
            return
        with open(new, "xb") as file:
            file.write(entry.data)
            os.fchmod(file.fileno(), entry.mode)

    def keep(self, path):
        """Lets what is at `path`, if anything is, be put back."""
        old = beside(path, _OLD)
        old.unlink(missing_ok=True)
        if is_there(path):
            self._undo.append(lambda: self._put_back(path, old))
            os.link(path, old, follow_symlinks=False)

    @staticmethod
    def _put_back(path, old):
        if is_there(old):
            os.replace(old, path)
            old.unlink(missing_ok=True)  # When both were the same file.

    def put_in_place(self, path):
        """Renames what waits beside `path` to it."""
        self._undo.append(lambda: path.unlink(missing_ok=True))
        os.replace(beside(path, _NEW), path)


def install(arguments, root):
    """Installs below `root`; returns what to say."""
    version = tree.version()
    places = {root / entry.path: entry
              for entry in tree.installed_entries(
                  arguments.prefix, arguments.libdir)}
    before = Installed(root)
    require_own_processor(places.values(), arguments.destdir)
    if before.version not in ("", version) and not arguments.replace:
        raise Problem(f"HAKMEM {before.version} is installed below {root}: "
                      f"--replace puts {version} in its place")
    require_writable([*places, before.path])
    for path, entry in places.items():
        if path.is_dir() and not path.is_symlink():
            raise Problem(f"{path} is a folder")
        if entry.path not in before.files and is_there(path):
            raise Problem(f"{path} is there already, and not of this installer")
    was_whole = not before.version or before.complete and all(
        is_there(root / path) for path in before.files)

    folders = sorted({folder for path in [*places, before.path]
                      for folder in path.parents if not folder.is_dir()})
    now = Installed(root)
    now.version = version
    now.folders += [os.path.relpath(folder, root) for folder in folders]
    now.complete = False
    for path, entry in places.items():
        now.files[entry.path] = before.files.get(entry.path, []) + [
            fingerprint(entry)]
    with Changes() as changes:
        # The list comes first: whatever happens, --uninstall knows of all.
        for folder in folders:
            if folder in now.path.parents:
                changes.make_folder(folder)
        changes.write(now.path, now.entry())
        changes.keep(now.path)
        changes.put_in_place(now.path)
        for folder in folders:
            if folder not in now.path.parents:
                changes.make_folder(folder)
        for path, entry in places.items():
            changes.write(path, entry)
        former = {root / path for path in before.files}
        for path in former | places.keys():
            changes.keep(path)
        for path in places:
            changes.put_in_place(path)
        for path in former - places.keys():
            path.unlink(missing_ok=True)
        now.files = {entry.path: [fingerprint(entry)]
                     for entry in places.values()}
        now.complete = True
        changes.write(now.path, now.entry())
        changes.put_in_place(now.path)
    for path in former | {*places, now.path}:
        beside(path, _OLD).unlink(missing_ok=True)
    return f"HAKMEM {version} is installed below {root}" + (
        "" if was_whole else ", where part of it was missing")


def uninstall(root):
    """Removes what is installed below `root`; returns what to say."""
    installed = Installed(root)
    if not installed.version:
        raise Problem(f"no HAKMEM is installed below {root}")
    places = {root / path: known for path, known in installed.files.items()}
    require_writable([*places, installed.path])
    changed = [path for path, known in places.items()
               if fingerprint_at(path) not in ["", *known]]
    for path in [*places, installed.path]:
        for mark in (_NEW, _OLD):
            beside(path, mark).unlink(missing_ok=True)
        # The list is the last.
        if path not in changed:
            path.unlink(missing_ok=True)
    for folder in reversed(installed.folders):
        try:
            os.rmdir(os.path.normpath(root / folder))
        except OSError:
            pass  # Others have put something into it.
    kept = "".join(f"; kept, since it was changed: {path}" for path in changed)
    return f"HAKMEM {installed.version} is removed from {root}{kept}"


def tell_loader(arguments):
    """Lets programs find the libraries where the system looks for them."""
    if not arguments.destdir and os.geteuid() == 0:
        try:
            subprocess.run(["/sbin/ldconfig"], check=False)
        except OSError:
            pass  # No glibc, which alone needs this.


def path_argument(text):
    """An absolute path that LD_PRELOAD and the list can hold."""
    if not text.startswith("/"):
        raise argparse.ArgumentTypeError(f"{text}: wants an absolute path")
    if any(letter.isspace() or letter == ":" for letter in text):
        raise argparse.ArgumentTypeError(
            f"{text}: LD_PRELOAD cannot hold a path with a space or a colon")
    return os.path.normpath(text)


def libdir_argument(text):
    """A folder below the prefix."""
    if text.startswith("/") or ".." in text.split("/") or not text.strip("./"):
        raise argparse.ArgumentTypeError(f"{text}: wants a path below the prefix")
    return os.path.normpath(text)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message):
        print(f"install: {message} (--help tells more)", file=sys.stderr)
        sys.exit(2)


def main():
    parser = Parser(
        prog="install", allow_abbrev=False,
        description="Installs HAKMEM, or removes it.")
    parser.add_argument("--prefix", type=path_argument, default="/usr/local",
                        help="the folder to install below (%(default)s)")
    parser.add_argument("--libdir", type=libdir_argument, default="lib",
                        help="the folder for libraries below it (%(default)s)")
    parser.add_argument("--destdir", default="",
                        help="where the prefix is while packages are made")
    parser.add_argument("--replace", action="store_true",
                        help="put this version in the place of another")
    parser.add_argument("--uninstall", action="store_true",
                        help="remove what is installed below the prefix")
    arguments = parser.parse_args()
    root = pathlib.Path(arguments.prefix)
    if arguments.destdir:
        typed_in = os.environ.get("BAZELW_CALLED_IN") or os.environ.get(
            "BUILD_WORKING_DIRECTORY", os.getcwd())
        root = pathlib.Path(os.path.normpath(
            os.path.join(typed_in, arguments.destdir) + arguments.prefix))

    def interrupted(number, _):
        raise Problem(f"interrupted by {signal.Signals(number).name}")

    for number in _SIGNALS:
        signal.signal(number, interrupted)
    try:
        message = uninstall(root) if arguments.uninstall else install(
            arguments, root)
    except (Problem, OSError) as problem:
        print(f"install: {problem}", file=sys.stderr)
        return 1
    tell_loader(arguments)
    print(message)
    return 0


if __name__ == "__main__":
    sys.exit(main())
