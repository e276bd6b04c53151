"""The programs, and what each is made to do.

A program is a function of a run (run.py). It returns the output, as text or
bytes, that must be the same on every malloc: it holds no time, no address and
no order that the program leaves open.
"""

import collections
import hashlib
import re
import shutil
import socket
import time

import inputs
from run import WORK, Failure, Skip

Program = collections.namedtuple("Program", "name needs work")


def digest(content):
    return hashlib.sha256(content).hexdigest()


# --- Python ------------------------------------------------------------------


def python(run):
    """Our own script: json, dict, threads, multiprocessing by fork."""
    return run.command("python3", WORK / "allocate.py")


def python_suite(suite):
    """The suite `suite` of the tests that Python brings along."""

    def work(run):
        probe = "import importlib.util as u; print(u.find_spec('test.%s') is not None)"
        if run.command("python3", "-c", probe % suite).strip() != b"True":
            raise Skip(f"this python3 has no test.{suite}")
        process = run.start("python3", "-m", "unittest", f"test.{suite}")
        # Some of its tests fail on some machines: then they must on both sides.
        run.finish(process, good=(0, 1))
        summary = re.search(r"^Ran \d+ tests?", process.errors, re.M)
        if summary is None:
            raise Failure(f"{suite}: {process.errors[-300:]}")
        failed = re.findall(r"^(?:FAIL|ERROR): .*$", process.errors, re.M)
        return "\n".join([summary[0], *sorted(failed)])

    return work


# --- redis -------------------------------------------------------------------


class RedisClient:
    """Sends commands to a redis-server and reads the replies."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._file = self._socket.makefile("rb")

    def ask(self, *commands):
        """Sends all commands at once; returns their replies, as bytes."""
        request = []
        for command in commands:
            words = command.split()
            request.append(f"*{len(words)}\r\n")
            request += [f"${len(word)}\r\n{word}\r\n" for word in words]
        self._socket.sendall("".join(request).encode())
        return b"".join(self._reply() for _ in commands)

    def _reply(self):
        line = self._file.readline()
        if not line:
            raise Failure("redis-server closed the connection")
        length = int(line[1:]) if line[:1] in b"$*" else -1
        if line[:1] == b"$" and length >= 0:
            return line + self._file.read(length + 2)
        if line[:1] == b"*":
            return line + b"".join(self._reply() for _ in range(length))
        return line

    def close(self):
        self._file.close()
        self._socket.close()


def start_redis(run):
    """Starts a server on a free port of the loopback; returns it and its port."""
    for _ in range(5):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = run.start(
            "redis-server", "--bind", "127.0.0.1", "--port", str(port),
            "--save", "", "--appendonly", "no", "--dir", ".",
        )
        deadline = time.monotonic() + 30
        while server.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
                continue
            time.sleep(0.1)  # Had another program the port, ours ends now.
            if server.poll() is None:
                return server, port
    raise Failure("redis-server does not start")


def redis(run):
    server, port = start_redis(run)
    for pipeline in ("1", "16"):
        run.command(
            "redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "-q", "-t", "set,get,lpush",
            "-n", "40000" if pipeline == "1" else "200000", "-P", pipeline,
            "-r", "10000", "-d", "100",
        )
    client = RedisClient(port)
    replies = client.ask("FLUSHALL")
    for first in range(0, 50000, 1000):
        replies += client.ask(
            *(
                f"{command} {number} {'v' * (number % 500)}{number}"
                for number in range(first, first + 1000)
                for command in ("SET s", "LPUSH list", "HSET hash", "SADD set")
            )
        )
    replies += client.ask("DBSIZE", "LLEN list", "HLEN hash", "SCARD set", "LRANGE list 0 2000")
    # A snapshot is written by a forked child.
    replies += client.ask("BGSAVE")
    deadline = time.monotonic() + 60
    while b"rdb_bgsave_in_progress:1" in client.ask("INFO persistence"):
        if time.monotonic() > deadline:
            raise Failure("redis-server: BGSAVE does not end")
        time.sleep(0.05)
    if b"rdb_last_bgsave_status:ok" not in client.ask("INFO persistence"):
        raise Failure("redis-server: BGSAVE failed")
    replies += client.ask("DEL list hash", "FLUSHALL", "DBSIZE")
    client.close()
    run.command("redis-cli", "-h", "127.0.0.1", "-p", str(port), "SHUTDOWN", "NOSAVE")
    run.finish(server)
    return replies


# --- Compilers, databases, tools ---------------------------------------------


def compiler(name):
    def work(run):
        run.write("large.cc", inputs.cxx_source(functions=60))
        run.command(name, "-std=c++17", "-O1", "-c", "large.cc", "-o", "large.o")
        return digest(run.read("large.o"))

    return work


def sqlite(run):
    script = inputs.sql_script(rows=200000)
    return run.command("sqlite3", "rows.db", stdin=script.encode())


def perl(run):
    return run.command("perl", WORK / "allocate.pl")


def lua(run):
    return run.command(shutil.which("lua") or "lua5.4", WORK / "allocate.lua")


def git(run):
    run.command("git", "init", "-q", "-b", "main", "repository")
    in_repository = ("git", "-C", "repository", "-c", "pack.threads=2")
    run.command(*in_repository, "fast-import", "--quiet", stdin=inputs.git_history(commits=1500))
    run.command(*in_repository, "gc", "-q", "--prune=now")
    run.command(*in_repository, "fsck", "--full")
    objects = run.command(*in_repository, "rev-list", "--objects", "--all")
    log = run.command(*in_repository, "log", "--stat", "-100")
    return digest(b"".join(sorted(objects.splitlines(True)))) + "\n" + digest(log)


def xz(run):
    text = inputs.compressible_text(size=16 << 20)
    compressed = run.command("xz", "-T2", "-2", "--block-size=4MiB", "-c", stdin=text)
    if run.command("xz", "-T2", "-d", "-c", stdin=compressed) != text:
        raise Failure("xz: what was compressed is not what comes back")
    return digest(compressed)


def bash(run):
    return run.command("bash", WORK / "fork.sh")


# --- Virtual machines --------------------------------------------------------


def java(run):
    if b"jdk.compiler" not in run.command("java", "--list-modules"):
        raise Skip("this java has no compiler")
    return run.command("java", "-Xmx512m", WORK / "Allocate.java")


def node(run):
    return run.command("node", WORK / "allocate.js")


PROGRAMS = [
    Program("python", ["python3"], python),
    *(
        Program(suite, ["python3"], python_suite(suite))
        for suite in ("test_json", "test_dict", "test_threading", "test_multiprocessing_fork")
    ),
    Program("redis", ["redis-server", "redis-benchmark", "redis-cli"], redis),
    Program("g++", ["g++"], compiler("g++")),
    Program("clang++", ["clang++"], compiler("clang++")),
    Program("sqlite3", ["sqlite3"], sqlite),
    Program("perl", ["perl"], perl),
    Program("lua", ["lua5.4" if shutil.which("lua") is None else "lua"], lua),
    Program("git", ["git"], git),
    Program("xz", ["xz"], xz),
    Program("bash", ["bash"], bash),
    Program("java", ["java"], java),
    Program("node", ["node"], node),
]
