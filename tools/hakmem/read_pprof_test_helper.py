"""Reads a profile in pprof's format with Python's gzip and a decoder of its own.

Prints the types of values, then for each function that is innermost in a sample
the bytes that are in use there: "main 1024".
"""

import collections
import gzip
import sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """Yields the number and the value, int or bytes, of each field."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 2:
            length, at = varint(data, at)
            value = data[at:at + length]
            assert len(value) == length, "cut short"
            at += length
        else:
            raise ValueError("wire type %d" % (tag & 7))
        yield tag >> 3, value


def packed(data):
    at, values = 0, []
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


def main():
    with gzip.open(sys.argv[1]) as file:
        profile = collections.defaultdict(list)
        for number, value in fields(file.read()):
            profile[number].append(value)
    texts = [text.decode() for text in profile[6]]
    assert texts[0] == ""
    types = [texts[dict(fields(message))[1]] for message in profile[1]]
    print(*types)
    functions = {}
    for message in profile[5]:
        function = dict(fields(message))
        functions[function[1]] = texts[function[2]]
    innermost = {}
    for message in profile[4]:
        location = list(fields(message))
        lines = [value for number, value in location if number == 4]
        innermost[dict(location)[1]] = functions[dict(fields(lines[0]))[1]]
    in_use = collections.Counter()
    for message in profile[2]:
        sample = dict(fields(message))
        values = packed(sample[2])
        assert len(values) == len(types)
        location = packed(sample[1])[:1]
        name = innermost[location[0]] if location else "?"
        in_use[name] += values[types.index("inuse_space")]
    for name, value in in_use.most_common():
        print(name, value)


main()
