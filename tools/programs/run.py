"""One run of a program: in a directory of its own, on one malloc."""

import os
import pathlib
import signal
import subprocess
import time

TIMEOUT_SECONDS = 150
WORK = pathlib.Path(os.path.abspath(__file__)).parent / "work"


class Failure(Exception):
    """The program did not do what it should; the message says how."""


class Skip(Exception):
    """The program can't run on this machine; the message says why."""


class Run:
    """Starts the commands of a program and checks how each ended.

    Attributes:
      directory: where they run; empty at the beginning.
      preloaded: how many processes were seen with the library mapped.
    """

    def __init__(self, directory, library):
        self.directory = directory
        self.preloaded = 0
        self._library = library
        self._processes = []
        self._environment = {
            "HOME": str(directory),
            "LANG": "C",
            "LC_ALL": "C",
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "TMPDIR": str(directory),
        }
        if library is not None:
            self._environment["LD_PRELOAD"] = library

    def write(self, name, content):
        """Writes a file (str or bytes) into the directory."""
        if isinstance(content, str):
            content = content.encode()
        (self.directory / name).write_bytes(content)

    def read(self, name):
        return (self.directory / name).read_bytes()

    def command(self, *argv, stdin=b""):
        """Runs a command to its end; returns its stdout."""
        process = self.start(*argv, stdin=stdin)
        return self.finish(process)

    def start(self, *argv, stdin=b""):
        """Starts a command, which finish() must end."""
        files = {}
        for stream in ("stdin", "stdout", "stderr"):
            files[stream] = open(self.directory / f".{stream}-{time.monotonic_ns()}", "w+b")
        files["stdin"].write(stdin)
        files["stdin"].seek(0)
        process = subprocess.Popen(
            argv,
            cwd=self.directory,
            env=self._environment,
            start_new_session=True,
            **files,
        )
        process.files = files
        self._processes.append(process)
        if self._library is not None:
            self._watch(process)
        return process

    def finish(self, process, good=(0,)):
        """Waits for a command's end, with a `good` status; returns its stdout."""
        name = " ".join(map(str, process.args))[:80]
        try:
            status = process.wait(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure(f"{name}: still running after {TIMEOUT_SECONDS} s") from None
        output = {}
        for stream in ("stdout", "stderr"):
            process.files[stream].seek(0)
            output[stream] = process.files[stream].read()
        for file in process.files.values():
            file.close()
        errors = output["stderr"].decode(errors="replace")
        process.errors = errors
        for line in errors.splitlines():
            if line.startswith("hakmem:") or "cannot be preloaded" in line:
                raise Failure(f"{name}: {line}")
        if status not in good:
            end = f"signal {-status}" if status < 0 else f"exit status {status}"
            raise Failure(f"{name}: {end}: {errors[-500:]}")
        return output["stdout"]

    def close(self):
        """Ends whatever still runs: after a failure, servers do."""
        for process in self._processes:
            if process.poll() is None:
                # The process group that start() made, so its children too.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _watch(self, process):
        """Waits until the library is mapped into the process, or it ended.

        The loader maps it before main(), so a process that runs for some
        milliseconds at least is seen.
        """
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/maps", encoding="utf-8") as maps:
                    if any(line.rstrip().endswith(self._library) for line in maps):
                        self.preloaded += 1
                        return
            except OSError:
                return
            time.sleep(0.001)
