"""Dicts of objects, strings and tuples. Arguments: first state, steps, keys."""

import sys

state, steps, keys = map(int, sys.argv[1:])


class Entry:
    def __init__(self, step, key):
        self.step = step
        self.key = key
        self.label = f"entry {key} of step {step}"


table = {}
groups = {}
for step in range(steps):
    state = state * 16807 % 2147483647
    key = state % keys
    name = f"key {key}"
    old = table.pop(name, None)
    if old is None:
        table[name] = Entry(step, key)
    elif old.label != f"entry {key} of step {old.step}":
        sys.exit(f"the entry of {name} is not what it was")
    groups.setdefault((key % 97, step % 89), []).append(step)

by_key = sorted(table.values(), key=lambda entry: entry.key)
total = sum(entry.step * (place + 1) for place, entry in enumerate(by_key))
print(len(table), total, sum(map(len, groups.values())))
