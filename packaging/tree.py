"""Reads tree.layout (layout.bzl): what is installed, and where.

The list and the files that it names are the data of the program that installs
them: they lie where Bazel starts it, or beside it. An action of Bazel's that
packs them gives the path of a list of its own.
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


def installed_entries(prefix, libdir):
    """The entries of the list that is data of this program; see entries."""
    root = _root()
    return entries(root / "packaging/tree.layout", root, version(), prefix,
                   libdir)


def entries(layout, root, version_name, prefix, libdir):
    """What to install, by path.

    `layout` is the list, and `root` what its paths are relative to. `prefix` is
    what texts name as such; `libdir` is relative to it.
    """
    values = {"@PREFIX@": prefix, "@LIBDIR@": libdir,
              "@VERSION@": version_name}
    found = []
    for line in pathlib.Path(layout).read_text().splitlines():
        kind, mode, path, source = line.split(" ")
        path = path.replace("LIBDIR", libdir)
        if kind == "link":
            found.append(Entry(path, 0o777, target=source))
            continue
        data = pathlib.Path(root, source).read_bytes()
        if kind == "text":
            for name, value in values.items():
                data = data.replace(name.encode(), value.encode())
        found.append(Entry(path, int(mode, 8), data))
    return sorted(found, key=lambda entry: entry.path)
