"""Libraries and tests of the allocator: one library per folder."""

load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")
load("//:hakmem.bzl", "HAKMEM_COPTS")

_GTEST_MAIN = "@com_google_googletest//:gtest_main"

def hakmem_cc_library(
        name,
        deps = [],
        files = None,
        exclude = [],
        copts = [],
        **kwargs):
    """Makes a library of the allocator from the files of the package's folder.

    Args:
      name: of the target.
      deps: its dependencies.
      files: its files; by default all but tests and their helpers.
      exclude: files of other targets, excluded from that default.
      copts: flags in addition to HAKMEM_COPTS.
      **kwargs: as of cc_library.
    """
    if files == None:
        files = native.glob(
            ["*.cc", "*.h", "*.def"],
            exclude = ["*_test.cc", "*_test_helper.*"] + exclude,
        )
    cc_library(
        name = name,
        srcs = [f for f in files if f.endswith(".cc")],
        hdrs = [f for f in files if not f.endswith(".cc")],
        copts = HAKMEM_COPTS + copts,
        linkstatic = True,
        deps = deps,
        **kwargs
    )

def model_sources(visibility = None, helpers = []):
    """Makes :sources, the package's own code as text.

    Model tests compile it with the interleaver's atomics and locks in place of
    the real ones.

    Args:
      visibility: as of every target.
      helpers: test helper files to include.
    """
    cc_library(
        name = "sources",
        testonly = True,
        textual_hdrs = native.glob(
            ["*.cc", "*.h"],
            exclude = ["*_test.cc", "*_test_helper.*"],
        ) + helpers,
        visibility = visibility,
    )

def hakmem_cc_test(
        name,
        deps = [],
        srcs = [],
        code = None,
        size = "medium",
        **kwargs):
    """Makes a test with GoogleTest's main.

    Args:
      name: of the test.
      deps: its dependencies.
      srcs: its files besides CODE.cc.
      code: name of the main file; `name` by default.
      size: as of every test.
      **kwargs: as of cc_test.
    """
    cc_test(
        name = name,
        size = size,
        srcs = srcs + [(code or name) + ".cc"],
        deps = deps + [_GTEST_MAIN],
        **kwargs
    )

def hakmem_cc_tests(tests, deps = [], size = "medium", **kwargs):
    """Makes several tests.

    Args:
      tests: maps each name to its dependencies besides `deps`.
      deps: dependencies of all.
      size: as of every test.
      **kwargs: as of cc_test.
    """
    for name, more in tests.items():
        hakmem_cc_test(name, deps + more, size = size, **kwargs)
