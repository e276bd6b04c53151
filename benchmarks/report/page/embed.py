#!/usr/bin/env python3
"""Puts the files that a page names into it, so that it is one file.

    embed.py PAGE OUTPUT FILE...

Each <link rel="stylesheet" href="NAME"> and each <script src="NAME"></script>
of PAGE is replaced by the FILE whose base name is NAME. Exit status: 1 if the
page names a file that is not given, or if a given file is not named.
"""

import os
import re
import sys

_STYLE = re.compile(r'<link rel="stylesheet" href="([^"]+)">')
_SCRIPT = re.compile(r'<script src="([^"]+)"></script>')


def embed(page, files):
    """Returns the text `page` with `files` (name -> text) in it."""
    used = set()

    def take(name):
        if name not in files:
            raise ValueError(f"the page names {name}, which is not given")
        used.add(name)
        return files[name].strip()

    def style(match):
        return f"<style>\n{take(match[1])}\n</style>"

    def script(match):
        # "</script" would end the element, wherever it stands in the script.
        text = re.sub(r"</(script)", r"<\\/\1", take(match[1]), flags=re.I)
        return f"<script>\n{text}\n</script>"

    page = _SCRIPT.sub(script, _STYLE.sub(style, page))
    unused = sorted(set(files) - used)
    if unused:
        raise ValueError("the page does not name " + ", ".join(unused))
    return page


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    page, output, *paths = sys.argv[1:]
    try:
        text = embed(read(page), {os.path.basename(path): read(path) for path in paths})
    except ValueError as error:
        sys.exit(f"embed.py: {page}: {error}")
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
