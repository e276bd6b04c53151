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

# The variants of ACE behave alike; the pairs share no code but what all do, so
# two of the four stand for them.
_ACE_VARIANTS = dict(_VARIANTS, **{
    "segment-ace_fixed": "segment",
    "superslab-ace_off": "superslab",
})

# The variants without tracing have the same outside and the same API.
_ALL_VARIANTS = dict(_ACE_VARIANTS, **{
    "segment-notrace": "segment",
    "superslab-notrace": "superslab",
})

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
    "cancellation_test": (_VARIANTS, "medium"),
    "decay_test": (_ACE_VARIANTS, "medium"),
    "end_of_life_test": (_VARIANTS, "medium"),
    "errno_kept_test": (_VARIANTS, "small"),
    "events_test": (_ALL_VARIANTS, "small"),
    "failure_trace_test": (_FAILING_VARIANTS, "medium"),
    "failures_test": (dict(_FAILING_VARIANTS, **_ALL_VARIANTS), "medium"),
    "fault_injection_test": (_FAULTS_VARIANTS, "medium"),
    "fork_in_handler_test": (_VARIANTS, "medium"),
    "fork_test": (_ACE_VARIANTS, "medium"),
    "fork_and_books_test": (_VARIANTS, "medium"),
    "impossible_requests_test": (_ALL_VARIANTS, "small"),
    "late_calls_test": (_ACE_VARIANTS, "medium"),
    "malloc_api_test": (_ALL_VARIANTS, "medium"),
    "many_threads_test": (_VARIANTS, "medium"),
    "new_handler_test": (_VARIANTS, "medium"),
    "operator_new_test": (_ALL_VARIANTS, "small"),
    "options_test": (_VARIANTS, "small"),
    "other_programs_test": (_VARIANTS, "medium"),
    "plugin_test": (_VARIANTS, "medium"),
    "realloc_test": (_ALL_VARIANTS, "medium"),
    "signal_jumps_test": (_VARIANTS, "medium"),
    "small_stack_test": (_VARIANTS, "medium"),
    "statistics_test": (_VARIANTS, "small"),
    "threads_test": (_ACE_VARIANTS, "medium"),
}

# These load the library themselves, or only read it.
_NOT_PRELOADED = {
    "late_dlopen_test": (_ALL_VARIANTS, "small"),
    "library_outside_test": (_ALL_VARIANTS, "small"),
    "plain_c_test": (_ALL_VARIANTS, "small"),
}

_PLUGIN = ":libplugin_test_helper.so"

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
    "plugin_test": {
        "data": [_PLUGIN],
        "env": {"HAKMEM_TEST_PLUGIN": "$(rootpath %s)" % _PLUGIN},
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

def _variant_tests(
        name,
        variants,
        size,
        main,
        data = [],
        env = {},
        suffix = "",
        tags = []):
    for variant, backend in variants.items():
        library = "//:libhakmem-%s.so" % variant
        cc_test(
            name = "%s_%s%s" % (name, variant.replace("-", "_"), suffix),
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

def frontend_tests():
    """Declares every black-box test of this package."""
    cc_library(
        name = "preload_test_helper",
        testonly = True,
        srcs = ["preload_test_helper.cc"],
        hdrs = [
            "block_test_helper.h",
            "busy_threads_test_helper.h",
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

    for name, (variants, size) in _PRELOADED.items():
        _test_code(name)
        _variant_tests(
            name,
            variants,
            size,
            ":preload_main_test_helper",
            **_EXTRAS.get(name, {})
        )

    # The same with more of it.
    _variant_tests(
        "fork_and_books_test",
        _VARIANTS,
        "large",
        ":preload_main_test_helper",
        env = {"HAKMEM_TEST_FORKS": "1000"},
        suffix = "_long",
        tags = ["long"],
    )

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

    cc_binary(
        name = _PLUGIN[1:],
        testonly = True,
        srcs = ["plugin_test_helper.cc"],
        copts = _COPTS,
        linkopts = ["-pthread"],
        linkshared = True,
        tags = ["nosan"],
    )

    for name, (variants, size) in _NOT_PRELOADED.items():
        _test_code(name)
        _variant_tests(
            name,
            variants,
            size,
            "@com_google_googletest//:gtest_main",
            **_EXTRAS.get(name, {})
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
