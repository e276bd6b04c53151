"""The programs that do the work of a benchmark, and their tests."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_test")
load("//:hakmem.bzl", "HAKMEM_NO_BUILTIN_MALLOC")

def worker(name, srcs, deps, visibility = None):
    """Makes a worker that needs libc and nothing else.

    So any allocator can be preloaded, and only that one is measured.

    Args:
      name: of the worker.
      srcs: its code.
      deps: what it needs beside //benchmarks:worker.
      visibility: as of every target.
    """
    cc_binary(
        name = name,
        srcs = srcs,
        copts = HAKMEM_NO_BUILTIN_MALLOC + ["-fno-exceptions"],
        linkopts = [
            "-Wl,--as-needed",
            "-pthread",
        ],
        visibility = visibility,
        deps = deps + ["//benchmarks:worker"],
    )

def worker_test(name, deps = [], **kwargs):
    """Makes a test that runs a worker from outside.

    Args:
      name: of the test; its code is NAME.cc.
      deps: what it needs besides what all of them do.
      **kwargs: as of cc_test.
    """
    cc_test(
        name = name,
        srcs = [name + ".cc"],
        deps = deps + [
            "//benchmarks:json",
            "//benchmarks:process",
            "//benchmarks:program_test",
            "//benchmarks:worker_test",
            "@com_google_googletest//:gtest_main",
        ],
        **kwargs
    )
