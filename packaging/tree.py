"""Reads tree.layout (layout.bzl): what is installed, and where.

The list and the files that it names are the data of each program that packs
them: they lie where Bazel starts it, or beside it.
"""

import dataclasses
import os
import pathlib
import sys


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file or a link; `path` is relative to the prefix."""
    path: str
    mode: int
    data: bytes = b""
    target: str = ""  # of a link


def _root():
    """The folder that the paths in tree.layout are relative to."""
    runfiles = pathlib.Path(os.path.abspath(sys.argv[0]) + ".runfiles")
    for folder in (pathlib.Path(), pathlib.Path("../hakmem"),
                   runfiles / "hakmem"):
        if (folder / "packaging/tree.layout").exists():
            return folder
    raise FileNotFoundError(
        "no packaging/tree.layout here: run this program by bazel, or where "
        "bazel built it")


def version():
    """The version of what is packed."""
    return (_root() / "packaging/version.txt").read_text().strip()


def entries(prefix, libdir):
    """What to install, by path.

    `prefix` is what texts name as such; `libdir` is relative to it.
    """
    root = _root()
    values = {"@PREFIX@": prefix, "@LIBDIR@": libdir, "@VERSION@": version()}
    found = []
    for line in (root / "packaging/tree.layout").read_text().splitlines():
        kind, mode, path, source = line.split(" ")
        path = path.replace("LIBDIR", libdir)
        if kind == "link":
            found.append(Entry(path, 0o777, target=source))
            continue
        data = (root / source).read_bytes()
        if kind == "text":
            for name, value in values.items():
                data = data.replace(name.encode(), value.encode())
        found.append(Entry(path, int(mode, 8), data))
    return sorted(found, key=lambda entry: entry.path)
