"""Threads that pass chunks of bytes on, each to the next one.

Arguments: first state, threads that make chunks (as many take them), chunks per
thread.
"""

import os
import queue
import sys
import threading
import zlib

state, threads, chunks = map(int, sys.argv[1:])
queues = [queue.Queue(8) for _ in range(threads)]
results = [None] * threads


def make(number):
    """Fills chunks for the next thread: random in length, alike in content."""
    mine = (state + number) % 2147483646 + 1
    batch = []
    for i in range(chunks):
        mine = mine * 16807 % 2147483647
        length = mine % 16000
        chunk = bytes([i % 251]) * length
        batch.append((i, chunk, zlib.crc32(chunk)))
        # Many at a time, so that threads seldom wait for each other.
        if len(batch) == 50 or i == chunks - 1:
            queues[(number + 1) % threads].put(batch)
            batch = []


def take(number):
    """Checks what comes from the thread before, and keeps some for a while."""
    total = 0
    kept = []
    batch = []
    for _ in range(chunks):
        batch = batch or queues[number].get()
        i, chunk, check = batch.pop(0)
        if zlib.crc32(chunk) != check or chunk.count(i % 251) != len(chunk):
            raise ValueError(f"chunk {i} is damaged")
        total += len(chunk)
        kept.append(bytearray(chunk) + b"end")
        if len(kept) == 100:
            total += sum(len(one) - 3 for one in kept if one.endswith(b"end"))
            kept = kept[50:]
    results[number] = total + len(kept)


def end(failure):
    """Ends all: those that wait for a thread that is gone would wait for ever."""
    sys.stderr.write(f"{failure.exc_type.__name__}: {failure.exc_value}\n")
    os._exit(1)


threading.excepthook = end
workers = [threading.Thread(target=work, args=(n,)) for n in range(threads) for work in (make, take)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(*results)
