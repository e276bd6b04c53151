"""The black-box tests: each runs once per variant of the shared library.

A test's code is compiled once, as a library, and linked once per variant; the
environment tells the binary which library to preload into itself (see
support/preload_test_helper.h). The tests carry the tag nosan: ASan and TSan
replace malloc as well, and only one can. They check allocator_test instead,
which links the allocator without its entry points. Under UBSan all tests run.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load("//:hakmem.bzl", "HAKMEM_NO_BUILTIN_MALLOC", "HAKMEM_TEST_COPTS")
load("//tests/blackbox:tests.bzl", "MATRIX", "TESTS")

def _code(name, deps):
    """The code of a test, NAME.cc and the folder's helper headers."""
    cc_library(
        name = name + "_code",
        testonly = True,
        srcs = [name + ".cc"] + native.glob(["*_test_helper.h"], allow_empty = True),
        copts = HAKMEM_TEST_COPTS,
        # Only linked into the tests.
        linkstatic = True,
        tags = ["nosan"],
        deps = ["//tests/blackbox/support"] + deps,
        alwayslink = True,
    )

def _hardening_of(variant):
    for level in ("checks", "full"):
        if variant.endswith("-" + level):
            return level
    return "off"

def _tests(name, row, variants, tags):
    """Makes the tests NAME_VARIANT, and returns their names."""
    names = []
    for variant in variants:
        backend = variant.split("-")[0]
        suffix = "-verify" if row.verify and not variant.endswith("-faults") else ""
        files = dict(row.env_files, **{
            "HAKMEM_TEST_LIBRARY": "//:libhakmem-%s%s.so" % (variant, suffix),
        })
        files = {key: label.format(backend = backend) for key, label in files.items()}
        names.append("%s_%s" % (name, variant.replace("-", "_")))
        cc_test(
            name = names[-1],
            size = row.size,
            data = files.values(),
            env = dict(
                {key: "$(rootpath %s)" % label for key, label in files.items()},
                HAKMEM_EXPECT_BACKEND = backend,
                HAKMEM_EXPECT_HARDENING = _hardening_of(variant),
                **row.env
            ),
            tags = ["nosan"] + row.tags + tags,
            deps = [":%s_code" % (row.code or name), row.main],
        )
    return names

def kind():
    """Makes the tests of the folder, by its rows in tests.bzl.

    And the suite :matrix of those that run on request only, on the variants that
    the rows do not name.
    """
    codes = {}
    others = []
    for name, row in TESTS[native.package_name().split("/")[-1]].items():
        code = row.code or name
        codes[code] = codes.get(code, []) + row.deps
        _tests(name, row, row.variants, [])
        if row.matrix:
            others += _tests(name, row, [
                variant
                for variant in MATRIX
                if variant not in row.variants and
                   not any([part in variant for part in row.matrix_without])
            ], ["manual", "matrix"])
    for code, deps in codes.items():
        _code(code, deps)
    native.test_suite(name = "matrix", tags = ["manual"], tests = others)

def test_library(name, deps = []):
    """The shared library libNAME.so of NAME_test_helper.c or .cc, for tests to load."""
    cc_binary(
        name = "lib%s.so" % name,
        testonly = True,
        srcs = native.glob([name + "_test_helper.*"]),
        copts = HAKMEM_NO_BUILTIN_MALLOC,
        linkopts = ["-Wl,--as-needed", "-pthread"],
        linkshared = True,
        tags = ["nosan"],
        deps = deps,
    )

def test_program(name, **kwargs):
    """The program of NAME_test_helper.c or .cc, for tests to run."""
    cc_binary(
        name = name,
        testonly = True,
        srcs = native.glob([name + "_test_helper.*"]),
        copts = HAKMEM_NO_BUILTIN_MALLOC,
        # The toolchain links the C++ runtime into every program.
        linkopts = ["-Wl,--as-needed", "-ldl"],
        tags = ["nosan"],
        **kwargs
    )
