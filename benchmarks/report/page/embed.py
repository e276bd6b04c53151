#!/usr/bin/env python3
"""Puts files into a page, so that it is one file.

    embed.py PAGE OUTPUT FILE...          styles and scripts
    embed.py --result PAGE OUTPUT RESULT  a result.json

The first replaces each <link rel="stylesheet" href="NAME"> and each
<script src="NAME"></script> of PAGE by the FILE whose base name is NAME; it fails
where the page names a file that is not given, or a given file is not named. The
second does what the program does that ran the benchmarks: it puts RESULT in the
place of the marker.
"""

import os
import re
import sys

MARKER = "/*RESULT*/"
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


def put_result(page, result):
    """Returns the text `page` with `result` (text of JSON) in it."""
    if page.count(MARKER) != 1:
        raise ValueError(f"the page must have one marker {MARKER}")
    return page.replace(MARKER, result.replace("<", "\\u003c"))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    arguments = sys.argv[1:]
    as_result = arguments[:1] == ["--result"]
    if len(arguments) < 2 + 2 * as_result:
        sys.exit(__doc__)
    page, output, *paths = arguments[as_result:]
    try:
        if as_result:
            text = put_result(read(page), read(paths[0]))
        else:
            files = {os.path.basename(path): read(path) for path in paths}
            text = embed(read(page), files)
    except ValueError as error:
        sys.exit(f"embed.py: {page}: {error}")
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
