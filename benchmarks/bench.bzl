"""What the packages of benchmarks/ are made of: tests, workers, worker tests."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load("//:hakmem.bzl", "HAKMEM_NO_BUILTIN_MALLOC")

# Code that workers are made of: a compiler that knows malloc would drop pairs
# of malloc and free.
WORKER_COPTS = HAKMEM_NO_BUILTIN_MALLOC + ["-fno-exceptions"]

def unit_test(name, deps = [], size = "small", **kwargs):
    """Makes a test with GoogleTest's main; its code is NAME.cc."""
    cc_test(
        name = name,
        size = size,
        srcs = [name + ".cc"],
        deps = deps + ["@com_google_googletest//:gtest_main"],
        **kwargs
    )

def worker_library(name, **kwargs):
    """Makes a library of code that runs in workers."""
    cc_library(
        name = name,
        copts = kwargs.pop("copts", WORKER_COPTS),
        **kwargs
    )

def worker(name, srcs, deps, copts = WORKER_COPTS):
    """Makes a worker, which needs libc and nothing else unless its code does.

    So any allocator can be preloaded, and only that one is measured.

    Args:
      name: of the worker.
      srcs: its code.
      deps: what it needs beside //benchmarks/worker.
      copts: with exceptions where its workloads are of the C++ library.
    """
    cc_binary(
        name = name,
        srcs = srcs,
        copts = copts,
        linkopts = [
            "-Wl,--as-needed",
            "-pthread",
        ],
        visibility = ["//benchmarks:__subpackages__"],
        deps = deps + ["//benchmarks/worker"],
    )

def worker_test(name, deps = [], **kwargs):
    """Makes a test that runs a worker from outside; its code is NAME.cc."""
    unit_test(
        name = name,
        deps = deps + ["//benchmarks/testing:worker_test"],
        **kwargs
    )
