"""What the packages of benchmarks/ are made of: tests, workers, worker tests."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load("//:hakmem.bzl", "HAKMEM_NO_BUILTIN_MALLOC")

# Code that workers are made of: a compiler that knows malloc would drop pairs
# of malloc and free.
WORKER_COPTS = HAKMEM_NO_BUILTIN_MALLOC + ["-fno-exceptions"]

def sources(exclude = []):
    """Returns the .cc files of the package but those of its tests."""
    return native.glob(
        ["*.cc"],
        exclude = ["*_test.cc", "*_test_helper.cc"] + exclude,
    )

def headers(exclude = []):
    """Returns the headers of the package but those of its tests."""
    return native.glob(["*.h"], exclude = ["*_test_helper.h"] + exclude)

def unit_test(name, srcs = [], deps = [], size = "small", **kwargs):
    """Makes a test with GoogleTest's main; its code is NAME.cc and `srcs`."""
    cc_test(
        name = name,
        size = size,
        srcs = [name + ".cc"] + srcs,
        deps = deps + ["@com_google_googletest//:gtest_main"],
        **kwargs
    )

def unit_tests(names, **kwargs):
    """Makes several tests that need the same."""
    for name in names:
        unit_test(name = name, **kwargs)

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
        linkopts = ["-Wl,--as-needed", "-pthread"],
        visibility = ["//benchmarks:__subpackages__"],
        deps = deps + [
            "//benchmarks/worker",
            "//benchmarks/worker:random_and_memory",
        ],
    )

def workload_room(kind, more = [], deps = [], copts = WORKER_COPTS):
    """Makes the worker of a folder of workloads, and the list of what it runs.

    Args:
      kind: the folder's name: KIND.def is the list, KIND_worker the program.
      more: generated code.
      deps: what the workloads need beside what all of them do.
      copts: as of worker.
    """
    cc_library(
        name = "list",
        textual_hdrs = [kind + ".def"],
        visibility = ["//benchmarks/harness:__pkg__"],
    )
    worker(
        name = kind + "_worker",
        srcs = sources() + headers() + more,
        copts = copts,
        deps = deps + [":list"],
    )

def worker_test(name, deps = [], **kwargs):
    """Makes a test that runs a worker from outside; its code is NAME.cc.

    It may preload another allocator, or tell what libc's malloc does: no
    sanitizer goes with that.
    """
    unit_test(
        name = name,
        tags = ["nosan"],
        deps = deps + ["//benchmarks/testing:worker_test"],
        **kwargs
    )
