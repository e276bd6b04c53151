"""The black-box tests: each runs once per variant of the shared library.

A test's code is compiled once, as a library, and linked once per variant; the
environment tells the binary which library to preload into itself (see
support/preload_test_helper.h). The tests carry the tag nosan: ASan and TSan
replace malloc as well, and only one can. They check allocator_test instead,
which links the allocator without its entry points. Under UBSan all tests run.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load("//:hakmem.bzl", "ACE_FORMS", "HAKMEM_TEST_COPTS", _BACKENDS = "BACKENDS")

BACKENDS = _BACKENDS

# Every pair of choices occurs: each back-end with each form of ACE and with and
# without tracing, each form of ACE with and without tracing. The long matrix
# (//tests/blackbox:matrix, tools/matrix) runs all twelve.
PAIRS = BACKENDS + [
    "segment-ace_fixed",
    "segment-ace_off-notrace",
    "superslab-ace_off",
    "superslab-ace_fixed-notrace",
    "superslab-notrace",
]

# For tests of the library's interface, which is the same without tracing.
ALL = PAIRS + ["segment-notrace"]

# Hardened builds add work to each part that frees or allocates blocks.
HARDENED = [
    "%s-%s" % (backend, hardening)
    for backend in BACKENDS
    for hardening in ("checks", "full")
]

# Two of the four, where the back-end makes no difference.
HARDENED_PAIRS = ["segment-checks", "superslab-full"]

# Calls to the operating system can be made to fail.
FAULTS = [
    "%s-%s-faults" % (backend, ace)
    for backend in BACKENDS
    for ace in ACE_FORMS
]

# Two of the four that are not the default.
FEW_FAULTS = [
    "segment-adaptive-faults",
    "segment-off-faults",
    "superslab-adaptive-faults",
    "superslab-fixed-faults",
]

# A library of each back-end that simulates larger system pages.
LARGE_PAGES = ["segment-adaptive-faults", "superslab-off-faults"]

# Every part that may refuse distinguishes failures, including ACE's forms.
FAILING = BACKENDS + [
    backend + ace
    for ace in ("-ace_fixed", "-ace_off")
    for backend in BACKENDS
]

_MATRIX = [
    backend + ace + tracing
    for backend in BACKENDS
    for ace in ("", "-ace_fixed", "-ace_off")
    for tracing in ("", "-notrace")
]

PRELOAD_MAIN = "//tests/blackbox/support:preload_main"

GTEST_MAIN = "@com_google_googletest//:gtest_main"

def test_code(name, deps = []):
    """The code of a test, NAME.cc and the folder's helper headers, for variant_tests."""
    cc_library(
        name = name + "_code",
        testonly = True,
        srcs = [name + ".cc"] + native.glob(["*_test_helper.h"], allow_empty = True),
        copts = HAKMEM_TEST_COPTS,
        # Only linked into the tests.
        linkstatic = True,
        tags = ["nosan"],
        visibility = ["//tests/blackbox:__subpackages__"],
        deps = ["//tests/blackbox/support"] + deps,
        alwayslink = True,
    )

def _hardening_of(variant):
    for level in ("checks", "full"):
        if variant.endswith("-" + level):
            return level
    return "off"

def variant_tests(
        name,
        variants,
        size = "medium",
        main = PRELOAD_MAIN,
        code = None,
        verify = True,
        env = {},
        env_files = {},
        tags = []):
    """One test NAME_VARIANT for each of `variants` of the library.

    Args:
      name: of the tests.
      variants: names of libraries, //:libhakmem-VARIANT.so or -verify.so.
      size: as of every test.
      main: PRELOAD_MAIN, or GTEST_MAIN for a test that does not preload.
      code: the test_code target; by default that of `name`.
      verify: whether the libraries have hakmem_check_heap: those of users do not.
      env: as of every test.
      env_files: environment variables that tell the paths of files.
      tags: as of every test.
    """
    for variant in variants:
        suffix = "-verify" if verify and not variant.endswith("-faults") else ""
        files = dict(env_files, **{
            "HAKMEM_TEST_LIBRARY": "//:libhakmem-%s%s.so" % (variant, suffix),
        })
        cc_test(
            name = "%s_%s" % (name, variant.replace("-", "_")),
            size = size,
            data = files.values(),
            env = dict(env, **dict({
                variable: "$(rootpath %s)" % label
                for variable, label in files.items()
            }, **{
                "HAKMEM_EXPECT_BACKEND": variant.split("-")[0],
                "HAKMEM_EXPECT_HARDENING": _hardening_of(variant),
            })),
            tags = ["nosan"] + tags,
            deps = [code or ":%s_code" % name, main],
        )

def preloaded_test(
        name,
        variants,
        deps = [],
        matrix_without = [],
        tags = [],
        **kwargs):
    """The test NAME.cc on each of `variants`, and for matrix() on the others.

    Args:
      name: of the test.
      variants: as of variant_tests. A variant named twice counts once.
      deps: its dependencies besides the support library.
      matrix_without: the matrix omits variants whose names contain any of these.
      tags: as of every test.
      **kwargs: as of variant_tests.
    """
    test_code(name, deps)
    variants = {variant: None for variant in variants}.keys()
    variant_tests(name, variants, tags = tags, **kwargs)
    if [v for v in variants if not v.endswith("-faults")]:
        others = [
            variant
            for variant in _MATRIX
            if variant not in variants and
               not any([part in variant for part in matrix_without])
        ]

        # Excluded from //...
        variant_tests(name, others, tags = tags + ["manual", "matrix"], **kwargs)

def preloaded_tests(tests, **kwargs):
    """Several: `tests` maps each name to its variants; the rest as above."""
    for name, variants in tests.items():
        preloaded_test(name, variants, **kwargs)

def large_pages_tests(names):
    """Tests of these codes on a system with pages of 64 KiB.

    There, a call for part of a page ends the process.
    """
    for name in names:
        variant_tests(
            name + "_64k_pages",
            LARGE_PAGES,
            code = ":%s_code" % name,
            env = {
                # Holes between held blocks rarely contain a whole page.
                "GTEST_FILTER": "-DecayWhileHoldingTest.*",
                "HAKMEM_TEST_PAGE_BYTES": "65536",
            },
        )

def matrix():
    """The suite :matrix of the package's preloaded tests that //... excludes.

    Call it last in the package.
    """
    native.test_suite(
        name = "matrix",
        tags = ["manual"],
        tests = [
            name
            for name, rule in native.existing_rules().items()
            if "matrix" in rule["tags"]
        ],
        visibility = ["//tests/blackbox:__pkg__"],
    )

def test_library(name, src, deps = []):
    """A shared library that tests load, with minimal dependencies."""
    cc_binary(
        name = name,
        testonly = True,
        srcs = [src],
        copts = HAKMEM_TEST_COPTS if src.endswith(".cc") else [],
        linkopts = ["-Wl,--as-needed", "-pthread"],
        linkshared = True,
        tags = ["nosan"],
        deps = deps,
    )

def test_program(name, srcs, **kwargs):
    """A program that tests run."""
    cc_binary(name = name, testonly = True, srcs = srcs, tags = ["nosan"], **kwargs)
