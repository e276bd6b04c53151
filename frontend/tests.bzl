"""The black-box tests: each runs once per variant of the shared library.

A test's code is compiled once, as a library, and linked once per variant; the
environment tells the binary which library to preload into itself (see
preload_test_helper.h). The tests carry the tag nosan: ASan and TSan replace
malloc as well, and only one can. What these watch is allocator_test, which
takes the allocator without its entry points. Under UBSan all tests run.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load("//:hakmem.bzl", "HAKMEM_NO_BUILTIN_MALLOC", "fixed_cc_library")

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
    "data_limit_test": ["-notrace"],
    "failure_trace_test": ["-notrace"],
    # Options that would be told of as ignored.
    "options_test": ["-notrace"],
    # Counts of events; mid blocks.
    "statistics_test": ["-notrace", "-ace_off"],
}

# Hardened builds do more in each part that frees or hands out blocks. Two of
# the four stand for all where the back-end adds nothing to it.
_HARDENED_PAIRS = {
    "segment-checks": "segment",
    "superslab-full": "superslab",
}

_HARDENED_VARIANTS = {
    "%s-%s" % (backend, hardening): backend
    for backend in ("segment", "superslab")
    for hardening in ("checks", "full")
}

# Calls to the operating system can be made to fail.
_FAULTS_VARIANTS = {
    "%s-%s-faults" % (backend, ace): backend
    for backend in ("segment", "superslab")
    for ace in ("adaptive", "fixed", "off")
}

# Two of the four that are not the default stand for them.
_FEW_FAULTS_VARIANTS = {
    "segment-adaptive-faults": "segment",
    "segment-off-faults": "segment",
    "superslab-adaptive-faults": "superslab",
    "superslab-fixed-faults": "superslab",
}

_LARGE_PAGES_VARIANTS = {
    "segment-adaptive-faults": "segment",
    "superslab-off-faults": "superslab",
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
    "abort_handler_test": (dict(_VARIANTS, **_HARDENED_VARIANTS), "medium"),
    "adaptive_pool_test": (_VARIANTS, "medium"),
    "address_limit_test": (_ACE_VARIANTS, "medium"),
    "alignment_test": (dict(_ALL_VARIANTS, **_HARDENED_PAIRS), "medium"),
    "api_model_test": (_FAILING_VARIANTS, "medium"),
    "bad_free_test": (dict(_ALL_VARIANTS, **_HARDENED_VARIANTS), "medium"),
    "calloc_test": (dict(_ACE_VARIANTS, **_HARDENED_PAIRS), "medium"),
    "cancellation_test": (_VARIANTS, "medium"),
    "commit_limit_test": (_FAULTS_VARIANTS, "medium"),
    "data_limit_test": (_FAILING_VARIANTS, "medium"),
    "decay_test": (dict(_ACE_VARIANTS, **_HARDENED_PAIRS), "medium"),
    "end_of_life_test": (_VARIANTS, "medium"),
    "errno_kept_test": (_VARIANTS, "small"),
    "events_dump_test": (_ALL_VARIANTS, "small"),
    "events_test": (_ALL_VARIANTS, "small"),
    "failure_causes_test": (dict(_FAILING_VARIANTS, **_ALL_VARIANTS), "medium"),
    "failure_trace_test": (_FAILING_VARIANTS, "medium"),
    "failures_test": (dict(_FAILING_VARIANTS, **_ALL_VARIANTS), "medium"),
    "fault_injection_test": (_FAULTS_VARIANTS, "medium"),
    "fault_threads_test": (_FEW_FAULTS_VARIANTS, "medium"),
    "fork_and_books_test": (_VARIANTS, "medium"),
    "fork_in_handler_test": (_VARIANTS, "medium"),
    "fork_test": (dict(_ACE_VARIANTS, **_HARDENED_PAIRS), "medium"),
    "give_back_test": (dict(_ACE_VARIANTS, **_HARDENED_PAIRS), "medium"),
    "guard_misuse_test": (_ALL_VARIANTS, "small"),
    "guard_test": (
        dict(_VARIANTS, **{
            "segment-adaptive-faults": "segment",
            "superslab-off-faults": "superslab",
            "superslab-notrace": "superslab",
        }),
        "medium",
    ),
    "heap_check_test": (
        dict(_FAILING_VARIANTS, **_HARDENED_PAIRS),
        "medium",
    ),
    "impossible_requests_test": (_ALL_VARIANTS, "small"),
    "late_calls_test": (dict(_ACE_VARIANTS, **_HARDENED_PAIRS), "medium"),
    "malloc_api_test": (dict(_ALL_VARIANTS, **_HARDENED_VARIANTS), "medium"),
    "many_threads_test": (_VARIANTS, "medium"),
    "map_count_test": (_VARIANTS, "medium"),
    "misuse_test": (dict(_VARIANTS, **_HARDENED_VARIANTS), "medium"),
    "new_handler_test": (_VARIANTS, "medium"),
    "operator_new_test": (_ALL_VARIANTS, "small"),
    "options_test": (_VARIANTS, "small"),
    "other_programs_test": (_VARIANTS, "medium"),
    "plugin_test": (_VARIANTS, "medium"),
    "realloc_test": (dict(_ALL_VARIANTS, **_HARDENED_PAIRS), "medium"),
    "refusals_test": (dict(_ALL_VARIANTS, **_HARDENED_VARIANTS), "medium"),
    "signal_jumps_test": (_VARIANTS, "medium"),
    "small_stack_test": (_VARIANTS, "medium"),
    "statistics_test": (_VARIANTS, "small"),
    "threads_test": (dict(_ACE_VARIANTS, **_HARDENED_PAIRS), "medium"),
}

# These load the library themselves, or only read it.
_NOT_PRELOADED = {
    "late_dlopen_test": (_ALL_VARIANTS, "small"),
    "library_outside_test": (_ALL_VARIANTS, "small"),
    "plain_c_test": (_ALL_VARIANTS, "small"),
    "sanitized_program_test": (_VARIANTS, "small"),
}

_PLUGIN = ":libplugin_test_helper.so"

_PLAIN_C = ":plain_c_program_test_helper"

_PLAIN_C_ENV = {"HAKMEM_TEST_PLAIN_C": "$(rootpath %s)" % _PLAIN_C}

# What the code of some is compiled with besides.
_CODE_DEPS = {
    "api_model_test": [":api_model_test_helper"],
    "events_dump_test": [":events_test_helper"],
    "events_test": [":events_test_helper"],
    "failure_causes_test": [":failures_test_helper"],
    "failures_test": [":failures_test_helper"],
}

# What some of them need besides: arguments of _variant_tests.
_EXTRAS = {
    # A sandbox shows cgroups read-only.
    "data_limit_test": {
        "tags": ["no-sandbox"],
    },
    "fault_injection_test": {
        "data": [_PLAIN_C],
        # No call to the operating system may depend on the time.
        "env": dict(_PLAIN_C_ENV, HAKMEM_DECAY = "3600000"),
    },
    "map_count_test": {
        "env": {"HAKMEM_TEST_LIVE_BLOCKS": "100000"},
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

def _hardening_of(variant):
    for level in ("checks", "full"):
        if variant.endswith("-" + level):
            return level
    return "off"

def _matrix_variants(name, variants):
    """Variants that only the matrix runs, beside those of the default run."""
    if not [v for v in variants if not v.endswith("-faults")]:
        return {}
    return {
        variant: backend
        for variant, backend in _MATRIX.items()
        if variant not in variants and
           not any([part in variant for part in _NEEDS.get(name, [])])
    }

def _variant_tests(
        name,
        variants,
        size,
        main,
        data = [],
        env = {},
        suffix = "",
        tags = []):
    tests = []
    for variant, backend in variants.items():
        library = "//:libhakmem-%s.so" % variant
        test = "%s%s_%s" % (name, suffix, variant.replace("-", "_"))
        tests.append(test)
        cc_test(
            name = test,
            size = size,
            data = data + [library],
            env = dict(env, **{
                "HAKMEM_EXPECT_BACKEND": backend,
                "HAKMEM_EXPECT_HARDENING": _hardening_of(variant),
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
            **dict(extras, tags = extras.get("tags", []) + ["manual"])
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
            "busy_threads_test_helper.h",
            "fault_test_helper.h",
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
            "//base:fault_control",
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
        name = "api_model_test_helper",
        testonly = True,
        srcs = ["api_model_test_helper.cc"],
        hdrs = [
            "api_model_test_helper.h",
            "api_operations_test_helper.h",
            "block_test_helper.h",
        ],
        copts = _COPTS,
        linkstatic = True,
        visibility = ["//fuzz:__pkg__"],
    )

    for subject in ["events", "failures"]:
        cc_library(
            name = subject + "_test_helper",
            testonly = True,
            hdrs = [subject + "_test_helper.h"],
            tags = ["nosan"],
            deps = [
                ":preload_test_helper",
                "@com_google_googletest//:gtest",
            ],
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

    # Of the machine's memory: alone, and only when asked for.
    _test_code("full_machine_test")
    _variant_tests(
        "full_machine_test",
        _VARIANTS,
        "enormous",
        ":preload_main_test_helper",
        tags = [
            "exclusive",
            "long",
            "no-sandbox",
        ],
    )

    # A system with pages of 64 KiB: a call for a part of one ends the process.
    for name in ["calloc_test", "decay_test", "page_size_test", "realloc_test"]:
        if name not in _PRELOADED:
            _test_code(name)
        _variant_tests(
            name,
            _LARGE_PAGES_VARIANTS,
            "medium",
            ":preload_main_test_helper",
            env = {
                # Holes between held blocks hardly hold a whole page.
                "GTEST_FILTER": "-DecayWhileHoldingTest.*",
                "HAKMEM_TEST_PAGE_BYTES": "65536",
            },
            suffix = "_64k_pages",
        )

    # The full size of what runs small by default.
    _variant_tests(
        "map_count_test",
        _VARIANTS,
        "large",
        ":preload_main_test_helper",
        env = {"HAKMEM_TEST_LIVE_BLOCKS": "1000000"},
        suffix = "_million",
        tags = ["long"],
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

    # No shared library is in it, whatever the C library.
    for backend in _VARIANTS:
        fixed_cc_library(
            name = "fixed_hakmem_" + backend,
            testonly = True,
            backend = backend,
            library = "//:hakmem",
            tags = ["nosan"],
            tracing = "on",
        )

        # What an attribute `malloc` names must be a cc_library.
        cc_library(
            name = "hakmem_" + backend,
            testonly = True,
            tags = ["nosan"],
            deps = [":fixed_hakmem_" + backend],
        )
        cc_test(
            name = "static_program_test_" + backend,
            size = "medium",
            srcs = ["static_program_test.c"],
            copts = HAKMEM_NO_BUILTIN_MALLOC,
            linkopts = [
                "-static",
                # Where the unwinder works, and so does its harm.
                "-Wl,--eh-frame-hdr",
                "-pthread",
            ],
            malloc = ":hakmem_" + backend,
            tags = ["nosan"],
            deps = ["//hakmem"],
        )

    # Both need rights that a sandbox takes away.
    cc_binary(
        name = "privileged_program_test_helper",
        testonly = True,
        srcs = ["privileged_program_test_helper.cc"],
        copts = _COPTS,
        malloc = "//:hakmem",
        tags = ["nosan"],
        deps = ["//hakmem"],
    )

    cc_test(
        name = "privileged_process_test",
        size = "small",
        srcs = ["privileged_process_test.cc"],
        data = [":privileged_program_test_helper"],
        env = {
            "HAKMEM_TEST_PROGRAM":
                "$(rootpath :privileged_program_test_helper)",
        },
        tags = [
            "no-sandbox",
            "nosan",
        ],
        deps = ["@com_google_googletest//:gtest_main"],
    )

    # No nosan: beside a malloc of whoever's.
    for backend in _VARIANTS:
        fixed_cc_library(
            name = "allocator_" + backend,
            testonly = True,
            backend = backend,
            library = ":allocator",
            tracing = "on",
        )
        cc_test(
            name = "allocator_test_" + backend,
            size = "medium",
            srcs = [
                "allocator_test.cc",
                "block_test_helper.h",
            ],
            copts = _COPTS,
            linkopts = ["-pthread"],
            deps = [
                ":allocator_" + backend,
                "@com_google_googletest//:gtest_main",
            ],
        )
