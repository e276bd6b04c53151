#!/usr/bin/env python3
"""Packs an archive that works wherever it is unpacked.

    tar.py LAYOUT VERSION NAME ARCHIVE CHECKSUM

All paths begin with NAME/. NAME/SHA256SUMS has the checksums of all files, for
sha256sum --check; CHECKSUM is a file with that of the archive. The same input
gives the same archive.
"""

import gzip
import hashlib
import io
import os
import sys
import tarfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import tree  # noqa: E402

# What pkg-config puts in for the folder that its file lies in: the libraries
# are in lib/, and so the prefix is two folders above lib/pkgconfig.
_PREFIX = "${pcfiledir}/../.."


def add(archive, path, mode, data=b"", target=""):
    info = tarfile.TarInfo(path)
    info.mode = mode
    info.size = len(data)
    if target:
        info.type = tarfile.SYMTYPE
        info.linkname = target
    archive.addfile(info, io.BytesIO(data))


def main():
    layout, version, name, archive_path, checksum_path = sys.argv[1:]
    sums = ""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for entry in tree.entries(layout, ".", version, _PREFIX, "lib"):
            add(archive, f"{name}/{entry.path}", entry.mode, entry.data,
                entry.target)
            if not entry.target:
                digest = hashlib.sha256(entry.data).hexdigest()
                sums += f"{digest}  {entry.path}\n"
        add(archive, f"{name}/SHA256SUMS", 0o644, sums.encode())
    data = gzip.compress(packed.getvalue(), mtime=0)
    with open(archive_path, "wb") as file:
        file.write(data)
    with open(checksum_path, "w", encoding="ascii") as file:
        file.write(f"{hashlib.sha256(data).hexdigest()}  "
                   f"{os.path.basename(archive_path)}\n")


if __name__ == "__main__":
    main()
