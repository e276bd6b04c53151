"""Rooms: the library and the tests that a folder's files make.

A file X_test.cc is a test by its name, X_model_test.cc one that runs under every
interleaving, X_test_helper.h a helper of tests; the rest is the folder's library.
"""

load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")
load("//:hakmem.bzl", "HAKMEM_COPTS")
load("//tests/state_fuzz:faults_test.bzl", "faults_test")

# What any room of a layer may use of the layers below. Of its own layer a room
# names what it uses.
BELOW_BACKEND = [
    "//base",
    "//base:build_config",
    "//base/os",
    "//base/os:linked_os_calls",
    "//base/os:system_call",
    "//base/sync",
    "//base/text",
    "//hardening:levels",
    "//tracing/counters",
    "//tracing/events",
    "//tracing/failures",
    "//tracing/profile",
    "//tracing/stacks",
    "@com_google_absl//absl/base:core_headers",
]

BELOW_ACE = BELOW_BACKEND + [
    "//backend:concept",
    "//backend/errors",
    "//backend/large",
    "//backend/memory",
    "//backend/slabs",
    "//backend/spans",
    "//backend/verify",
]

BELOW_FRONTEND = BELOW_ACE + ["//ace:engine", "//backend:linked", "//hakmem"]

# What programs use of Abseil.
ABSL = [
    "@com_google_absl//absl/status",
    "@com_google_absl//absl/status:statusor",
    "@com_google_absl//absl/strings",
    "@com_google_absl//absl/strings:str_format",
]

_GTEST = "@com_google_googletest//:gtest"

_GTEST_MAIN = "@com_google_googletest//:gtest_main"

def _unique(labels):
    return {label: None for label in labels}.keys()

def _code(exclude):
    """Returns the files of the folder that are neither tests nor their helpers."""
    return native.glob(
        ["*.cc", "*.h", "*.def"],
        allow_empty = True,
        exclude = ["*_test.cc", "*_test_helper.*"] + exclude,
    )

def _tests(pattern, exclude = []):
    """Returns the names of the tests in the folder's files."""
    files = native.glob([pattern], allow_empty = True, exclude = exclude)
    return [file[:-len(".cc")] for file in files]

def folder_library(name, files = None, exclude = [], **kwargs):
    """Makes a library from files of the package's folder.

    Args:
      name: of the target.
      files: its files; by default all but tests and their helpers.
      exclude: files of other targets, excluded from that default.
      **kwargs: as of cc_library.
    """
    if files == None:
        files = _code(exclude)
    cc_library(
        name = name,
        srcs = [f for f in files if f.endswith(".cc")],
        hdrs = [f for f in files if not f.endswith(".cc")],
        **kwargs
    )

def plain_room(name, deps = [], test_deps = [], **kwargs):
    """Makes the library of a folder that is not linked into libhakmem.so, and its tests.

    Args:
      name: of the library.
      deps: its dependencies.
      test_deps: what its tests need besides those and the library.
      **kwargs: as of folder_library.
    """
    folder_library(name, deps = deps, **kwargs)
    folder_tests([":" + name] + deps + test_deps)

def hakmem_cc_library(name, copts = [], **kwargs):
    """The same for what is linked into libhakmem.so, with its flags."""
    folder_library(name, copts = HAKMEM_COPTS + copts, linkstatic = True, **kwargs)

def test_helper(name, deps = []):
    """Makes the library of the header NAME.h, for tests."""
    cc_library(name = name, testonly = True, hdrs = [name + ".h"], deps = deps + [_GTEST])

def model_sources(helpers = []):
    """Makes :sources, the package's own code as text.

    Model tests compile it with the interleaver's atomics and locks in place of
    the real ones.

    Args:
      helpers: test helper files to include.
    """
    cc_library(
        name = "sources",
        testonly = True,
        textual_hdrs = _code([]) + helpers,
    )

def hakmem_cc_test(
        name,
        deps = [],
        srcs = [],
        code = None,
        size = "medium",
        data = [],
        env_files = {},
        **kwargs):
    """Makes a test with GoogleTest's main.

    Args:
      name: of the test.
      deps: its dependencies.
      srcs: its files besides CODE.cc.
      code: name of the main file; `name` by default.
      size: as of every test.
      data: as of every test.
      env_files: environment variables that tell the paths of files, which are
        added to `data`.
      **kwargs: as of cc_test.
    """
    if env_files:
        kwargs["env"] = dict(kwargs.get("env", {}), **{
            variable: "$(rootpath %s)" % label
            for variable, label in env_files.items()
        })
    cc_test(
        name = name,
        size = size,
        srcs = srcs + [(code or name) + ".cc"],
        data = data + env_files.values(),
        deps = _unique(deps + [_GTEST_MAIN]),
        **kwargs
    )

def folder_tests(deps = [], special = {}, exclude = [], size = "small", **kwargs):
    """Makes a test of each file *_test.cc of the folder.

    Args:
      deps: dependencies of all.
      special: maps a test to arguments of its own: `deps` in place of `deps`,
        others over `kwargs`.
      exclude: files to make no test of.
      size: as of every test.
      **kwargs: as of hakmem_cc_test.
    """
    names = _tests("*_test.cc", exclude)
    for name in special:
        if name not in names:
            fail("there is no %s.cc to be special" % name)
    for name in names:
        own = dict(dict(kwargs, size = size), **special.get(name, {}))
        hakmem_cc_test(name, own.pop("deps", deps), **own)

def interleaved_test(name, deps = []):
    """Makes the test NAME.cc of a protocol, whose threads are fibers.

    Args:
      name: of the test.
      deps: what it needs besides the interleaver.
    """

    # Fibers switch stacks, which sanitizers do not support.
    hakmem_cc_test(name, deps + ["//tests/interleaving"], tags = ["nosan"])

def room(
        name,
        deps = [],
        test_deps = [],
        model_deps = [],
        models = [],
        refused = [],
        special = {},
        **kwargs):
    """Makes the library of an allocator's folder, and its tests.

    Args:
      name: of the library.
      deps: its dependencies.
      test_deps: what tests need besides those and the library.
      model_deps: what model tests need besides those and the library.
      models: model tests whose names do not say so.
      refused: tests over an operating system that refuses memory.
      special: as of folder_tests.
      **kwargs: as of hakmem_cc_library.
    """
    hakmem_cc_library(name, deps = deps, **kwargs)
    below = [":" + name] + deps
    models = models + _tests("*_model_test.cc")
    for model in models:
        interleaved_test(model, below + model_deps)
    for test in refused:
        hakmem_cc_test(
            test + "_code",
            below + ["//base/os:fault_control"],
            code = test,
            tags = ["manual"],
        )
        faults_test(name = test, size = "small", test = ":%s_code" % test)
    folder_tests(
        below + test_deps,
        special,
        exclude = [test + ".cc" for test in models + refused],
        size = "medium",
    )
