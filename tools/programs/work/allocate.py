"""Allocates as Python programs do: json, dicts, threads, forked processes."""

import json
import multiprocessing
import random
import threading
import zlib


def documents(seed, count):
    """Nested values of every JSON type."""
    choose = random.Random(seed)
    return [
        {
            "id": number,
            "name": "x" * choose.randrange(2000),
            "values": [choose.random() for _ in range(choose.randrange(50))],
            "inner": {str(key): [None, True, key] for key in range(choose.randrange(20))},
        }
        for number in range(count)
    ]


def through_json(seed):
    text = json.dumps(documents(seed, 1500), sort_keys=True)
    assert json.dumps(json.loads(text), sort_keys=True) == text
    return zlib.crc32(text.encode())


def through_dicts(seed):
    choose = random.Random(seed)
    table = {}
    for step in range(200000):
        key = choose.randrange(50000)
        if key in table:
            del table[key]
        else:
            table[key] = str(step) * (step % 30)
    return zlib.crc32(repr(sorted(table.items())).encode())


def through_buffers(seed):
    choose = random.Random(seed)
    held = [bytearray() for _ in range(50)]
    total = 0
    for _ in range(3000):
        slot = choose.randrange(len(held))
        held[slot] = bytearray(choose.randrange(200000))
        held[slot] += b"end"
        total += len(held[slot])
    return total


KINDS = [through_json, through_dicts, through_buffers]


def work(number):
    return KINDS[number % len(KINDS)](number)


def main():
    print("alone", [work(number) for number in range(3)])

    results = {}
    threads = [
        threading.Thread(target=lambda n=number: results.update({n: work(n)})) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("threads", sorted(results.items()))

    # Forks while a thread allocates.
    busy = threading.Thread(target=through_dicts, args=(1,))
    busy.start()
    with multiprocessing.get_context("fork").Pool(4) as pool:
        print("processes", pool.map(work, range(12)))
    busy.join()


if __name__ == "__main__":
    main()
