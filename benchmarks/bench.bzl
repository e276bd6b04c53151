"""Workers of the benchmarks, and their tests."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load("//:hakmem.bzl", "HAKMEM_NO_BUILTIN_MALLOC")
load("//:hakmem_cc.bzl", "folder_tests", "hakmem_cc_test")

# Of workloads: a folder each, with a list of what its worker runs.
KINDS = ["large", "memory", "programs", "small", "threads"]

# Code that workers are made of: a compiler that knows malloc would drop pairs
# of malloc and free.
WORKER_COPTS = HAKMEM_NO_BUILTIN_MALLOC + ["-fno-exceptions"]

_WORKER = ["//benchmarks/worker", "//benchmarks/worker:random_and_memory"]

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
        deps = deps + _WORKER,
    )

def worker_tests(kind, data = [], test_deps = [], **kwargs):
    """Makes tests *_test.cc that run KIND_worker from outside.

    They may preload another allocator, or tell what libc's malloc does: no
    sanitizer goes with that.

    Args:
      kind: of the workloads.
      data: what the tests need beside the worker and the malloc with overlaps.
      test_deps: what they are linked with beside what all are.
      **kwargs: as of folder_tests.
    """
    folder_tests(
        data = data + [
            ":%s_worker" % kind,
            "//benchmarks/testing:libbroken_malloc_test_helper.so",
        ],
        tags = ["nosan"],
        deps = test_deps + ["//benchmarks/testing:worker_test"],
        **kwargs
    )

def workload_kind(
        name,
        srcs = [],
        deps = [],
        copts = WORKER_COPTS,
        unit_tests = [],
        **kwargs):
    """Makes the worker of a folder of workloads, the list of what it runs, and tests.

    Args:
      name: the folder's: NAME.def is the list, NAME_worker the program.
      srcs: generated code.
      deps: what the workloads need beside what all of them do.
      copts: as of worker.
      unit_tests: the tests that include a header of the folder and run no worker.
      **kwargs: of the other tests, as of worker_tests.
    """
    headers = native.glob(["*.h"], allow_empty = True)
    cc_library(
        name = "list",
        textual_hdrs = [name + ".def"],
        visibility = ["//benchmarks/harness:__pkg__"],
    )
    worker(
        name = name + "_worker",
        srcs = srcs + headers + native.glob(
            ["*.cc"],
            exclude = ["*_test.cc", "*_test_helper.cc"],
        ),
        copts = copts,
        deps = deps + [":list"],
    )
    for test in unit_tests:
        hakmem_cc_test(test, deps + _WORKER, srcs = headers, size = "small")
    worker_tests(name, exclude = [test + ".cc" for test in unit_tests], **kwargs)
