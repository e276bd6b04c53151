"""The black-box tests: each runs once per variant of the shared library.

A test's code is compiled once, as a library, and linked once per variant; the
environment tells the binary which library to preload into itself (see
preload_test_helper.h). The tests carry the tag nosan: a sanitizer replaces
malloc as well, and only one can.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load("//:hakmem.bzl", "HAKMEM_NO_BUILTIN_MALLOC")

_VARIANTS = {
    "segment": "segment",
    "superslab": "superslab",
}

# Every pair of choices occurs: each back-end with each form of ACE and with and
# without tracing, each form of ACE with and without tracing. All twelve are run
# by the long matrix (`matrix` below, tools/matrix).
_PAIRS = dict(_VARIANTS, **{
    "segment-ace_fixed": "segment",
    "segment-ace_off-notrace": "segment",
    "superslab-ace_off": "superslab",
    "superslab-ace_fixed-notrace": "superslab",
    "superslab-notrace": "superslab",
})

# Tests of what ACE may do differently.
_ACE_VARIANTS = _PAIRS

# Tests of the outside, which is the same without tracing too.
_ALL_VARIANTS = dict(_PAIRS, **{
    "segment-notrace": "segment",
})

_MATRIX = {
    backend + ace + tracing: backend
    for backend in ("segment", "superslab")
    for ace in ("", "-ace_fixed", "-ace_off")
    for tracing in ("", "-notrace")
}

# Tests of the matrix that need something of a variant: parts of its name that
# must not occur.
_NEEDS = {
    # Adaptation, and what counts it.
    "adaptive_pool_test": ["-ace_fixed", "-ace_off", "-notrace"],
    # Lines of failures.
    "failure_trace_test": ["-notrace"],
    # Options that would be told of as ignored.
    "options_test": ["-notrace"],
    # Counts of events; mid blocks.
    "statistics_test": ["-notrace", "-ace_off"],
}

# Calls to the operating system can be made to fail.
_FAULTS_VARIANTS = {
    "%s-%s-faults" % (backend, ace): backend
    for backend in ("segment", "superslab")
    for ace in ("adaptive", "fixed", "off")
}

# Failures are told apart in every part that may refuse, ACE's forms included.
_FAILING_VARIANTS = dict(_VARIANTS, **{
    "segment-ace_fixed": "segment",
    "superslab-ace_fixed": "superslab",
    "segment-ace_off": "segment",
    "superslab-ace_off": "superslab",
})

# clang declares the sized forms of operator delete only when told to.
_COPTS = HAKMEM_NO_BUILTIN_MALLOC + ["-fsized-deallocation"]

# name: (variants, size)
_PRELOADED = {
    "adaptive_pool_test": (_VARIANTS, "medium"),
    "address_limit_test": (_ACE_VARIANTS, "medium"),
    "alignment_test": (_ALL_VARIANTS, "medium"),
    "bad_free_test": (_ALL_VARIANTS, "medium"),
    "calloc_test": (_ACE_VARIANTS, "medium"),
    "decay_test": (_ACE_VARIANTS, "medium"),
    "errno_kept_test": (_VARIANTS, "small"),
    "events_test": (_ALL_VARIANTS, "small"),
    "failure_trace_test": (_FAILING_VARIANTS, "medium"),
    "failures_test": (dict(_FAILING_VARIANTS, **_ALL_VARIANTS), "medium"),
    "fault_injection_test": (_FAULTS_VARIANTS, "medium"),
    "fork_test": (_ACE_VARIANTS, "medium"),
    "impossible_requests_test": (_ALL_VARIANTS, "small"),
    "late_calls_test": (_ACE_VARIANTS, "medium"),
    "malloc_api_test": (_ALL_VARIANTS, "medium"),
    "operator_new_test": (_ALL_VARIANTS, "small"),
    "options_test": (_VARIANTS, "small"),
    "realloc_test": (_ALL_VARIANTS, "medium"),
    "statistics_test": (_VARIANTS, "small"),
    "threads_test": (_ACE_VARIANTS, "medium"),
}

# These load the library themselves, or only read it.
_NOT_PRELOADED = {
    "late_dlopen_test": (_ALL_VARIANTS, "small"),
    "library_outside_test": (_ALL_VARIANTS, "small"),
    "plain_c_test": (_ALL_VARIANTS, "small"),
}

_PLAIN_C = ":plain_c_program_test_helper"

_PLAIN_C_ENV = {"HAKMEM_TEST_PLAIN_C": "$(rootpath %s)" % _PLAIN_C}

# What the code of some is compiled with besides.
_CODE_DEPS = {
    "fault_injection_test": ["//base:fault_control"],
}

# What some of them need besides: arguments of _variant_tests.
_EXTRAS = {
    "fault_injection_test": {
        "data": [_PLAIN_C],
        # No call to the operating system may depend on the time.
        "env": dict(_PLAIN_C_ENV, HAKMEM_DECAY = "3600000"),
    },
    "plain_c_test": {
        "data": [_PLAIN_C],
        "env": _PLAIN_C_ENV,
    },
}

def _test_code(name):
    cc_library(
        name = name + "_code",
        testonly = True,
        srcs = [name + ".cc"],
        copts = _COPTS,
        # Only ever linked into the tests.
        linkstatic = True,
        tags = ["nosan"],
        deps = [
            ":elf_file_test_helper",
            ":json_test_helper",
            ":preload_test_helper",
            "@com_google_googletest//:gtest",
        ] + _CODE_DEPS.get(name, []),
        alwayslink = True,
    )

def _matrix_variants(name, variants):
    """Variants that only the matrix runs, beside those of the default run."""
    if variants == _FAULTS_VARIANTS:
        return {}
    return {
        variant: backend
        for variant, backend in _MATRIX.items()
        if variant not in variants and
           not any([part in variant for part in _NEEDS.get(name, [])])
    }

def _variant_tests(name, variants, size, main, data = [], env = {}, tags = []):
    tests = []
    for variant, backend in variants.items():
        library = "//:libhakmem-%s.so" % variant
        test = "%s_%s" % (name, variant.replace("-", "_"))
        tests.append(test)
        cc_test(
            name = test,
            size = size,
            data = data + [library],
            env = dict(env, **{
                "HAKMEM_EXPECT_BACKEND": backend,
                "HAKMEM_TEST_LIBRARY": "$(rootpath %s)" % library,
            }),
            tags = ["nosan"] + tags,
            deps = [
                ":" + name + "_code",
                main,
            ],
        )
    return tests

def _tests_of_a_table(table, main):
    """The tests of each entry, and names of those that only the matrix runs."""
    only_matrix = []
    for name, (variants, size) in table.items():
        _test_code(name)
        extras = _EXTRAS.get(name, {})
        _variant_tests(name, variants, size, main, **extras)
        only_matrix += _variant_tests(
            name,
            _matrix_variants(name, variants),
            size,
            main,
            # Not built with //...: `matrix` names them.
            tags = ["manual"],
            **extras
        )
    return only_matrix

def frontend_tests():
    """Declares every black-box test of this package."""
    cc_library(
        name = "preload_test_helper",
        testonly = True,
        srcs = ["preload_test_helper.cc"],
        hdrs = [
            "block_test_helper.h",
            "preload_test_helper.h",
        ],
        copts = _COPTS,
        linkopts = [
            "-ldl",
            "-pthread",
        ],
        linkstatic = True,
        tags = ["nosan"],
        deps = [
            "//hakmem",
            "@com_google_googletest//:gtest",
        ],
    )

    cc_library(
        name = "preload_main_test_helper",
        testonly = True,
        srcs = ["preload_main_test_helper.cc"],
        copts = _COPTS,
        linkstatic = True,
        tags = ["nosan"],
        deps = [
            ":preload_test_helper",
            "@com_google_googletest//:gtest",
        ],
        alwayslink = True,
    )

    cc_library(
        name = "json_test_helper",
        testonly = True,
        srcs = ["json_test_helper.cc"],
        hdrs = ["json_test_helper.h"],
        copts = _COPTS,
        linkstatic = True,
        tags = ["nosan"],
    )

    cc_library(
        name = "elf_file_test_helper",
        testonly = True,
        srcs = ["elf_file_test_helper.cc"],
        hdrs = ["elf_file_test_helper.h"],
        copts = _COPTS,
        linkstatic = True,
        tags = ["nosan"],
    )

    only_matrix = _tests_of_a_table(_PRELOADED, ":preload_main_test_helper")

    cc_binary(
        name = _PLAIN_C[1:],
        testonly = True,
        srcs = ["plain_c_program_test_helper.c"],
        # The toolchain links every program with the C++ runtime.
        linkopts = [
            "-Wl,--as-needed",
            "-ldl",
        ],
        tags = ["nosan"],
    )

    only_matrix += _tests_of_a_table(
        _NOT_PRELOADED,
        "@com_google_googletest//:gtest_main",
    )

    # With //..., each test on all twelve variants where it makes sense.
    native.test_suite(
        name = "matrix",
        tags = ["manual"],
        tests = only_matrix,
    )

    # Each back-end without tracing beside the same with it.
    _test_code("tracing_off_test")
    for backend in _VARIANTS:
        _variant_tests(
            "tracing_off_test",
            {backend + "-notrace": backend},
            "small",
            "@com_google_googletest//:gtest_main",
            data = ["//:libhakmem-%s.so" % backend],
            env = {
                "HAKMEM_TEST_TRACING_LIBRARY":
                    "$(rootpath //:libhakmem-%s.so)" % backend,
            },
        )

    cc_test(
        name = "linked_malloc_test",
        size = "small",
        srcs = ["linked_malloc_test.cc"],
        copts = _COPTS,
        malloc = "//:hakmem",
        tags = ["nosan"],
        deps = [
            "//hakmem",
            "@com_google_googletest//:gtest_main",
        ],
    )
