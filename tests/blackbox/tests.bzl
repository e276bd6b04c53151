"""The black-box tests: which runs on which variants of the library."""

load("//:hakmem.bzl", "ACE_FORMS", "BACKENDS")

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
HARDENED = [b + level for b in BACKENDS for level in ("-checks", "-full")]

# Two of the four, where the back-end makes no difference.
HARDENED_PAIRS = ["segment-checks", "superslab-full"]

# Calls to the operating system can be made to fail.
FAULTS = ["%s-%s-faults" % (b, ace) for b in BACKENDS for ace in ACE_FORMS]

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
FAILING = [b + ace for ace in ("", "-ace_fixed", "-ace_off") for b in BACKENDS]

# The long matrix.
MATRIX = [
    backend + ace + tracing
    for backend in BACKENDS
    for ace in ("", "-ace_fixed", "-ace_off")
    for tracing in ("", "-notrace")
]

PRELOAD_MAIN = "//tests/blackbox/support:preload_main"

_GTEST_MAIN = "@com_google_googletest//:gtest_main"

_JSON = ["@nlohmann_json//:json"]

_PLAIN_C = {"HAKMEM_TEST_PLAIN_C": "//tests/blackbox/programs:plain_c_program"}

def _on(
        variants,
        code = None,
        deps = [],
        env = {},
        env_files = {},
        main = PRELOAD_MAIN,
        matrix = True,
        matrix_without = [],
        size = "medium",
        tags = [],
        verify = True):
    """Returns the row of a test on each of `variants`; one named twice counts once.

    Args:
      variants: names of libraries, //:libhakmem-VARIANT.so or -verify.so.
      code: of which test; its own by default.
      deps: what the code needs besides the support library.
      env: as of every test.
      env_files: environment variables that tell the paths of files; {backend}
        stands for the variant's.
      main: PRELOAD_MAIN, or _GTEST_MAIN for a test that does not preload.
      matrix: whether the long matrix runs it on the other variants,
      matrix_without: but those whose names contain any of these.
      size: as of every test.
      tags: as of every test.
      verify: whether the libraries have hakmem_check_heap: those of users do not.
    """
    return struct(
        variants = {variant: None for variant in variants}.keys(),
        code = code,
        deps = deps,
        env = env,
        env_files = env_files,
        main = main,
        matrix = matrix and not code and [v for v in variants if not v.endswith("-faults")],
        matrix_without = matrix_without,
        size = size,
        tags = tags,
        verify = verify,
    )

def _long(variants, **kwargs):
    """Returns the row of a test for --config=long only."""
    return _on(variants, size = "large", tags = ["long"], **kwargs)

def _profiled(code, variants = BACKENDS + HARDENED_PAIRS, **kwargs):
    """Returns the row of a test of which every block is sampled.

    Args:
      code: of which test.
      variants: as of _on.
      **kwargs: as of _on.
    """
    return _on(variants, code = code, env = {
        "HAKMEM_PROFILE": "/dev/null",
        "HAKMEM_PROFILE_RATE": "1",
    }, **kwargs)

def _large_pages(code):
    """Returns the row of a test on a system with pages of 64 KiB.

    There, a call for part of a page ends the process.

    Args:
      code: of which test.
    """
    return _on(LARGE_PAGES, code = code, env = {
        # Holes between held blocks rarely contain a whole page.
        "GTEST_FILTER": "-DecayWhileHoldingTest.*",
        "HAKMEM_TEST_PAGE_BYTES": "65536",
    })

# Of each kind, a folder, the tests in the files NAME.cc.
TESTS = {
    "api": {
        "alignment_test": _on(ALL + HARDENED_PAIRS),
        "alignment_test_profiled": _profiled("alignment_test"),
        "api_model_test": _on(FAILING, deps = [":api_model_test_helper"]),
        "calloc_test": _on(PAIRS + HARDENED_PAIRS),
        "calloc_test_profiled": _profiled("calloc_test"),
        "calloc_test_64k_pages": _large_pages("calloc_test"),
        "errno_kept_test": _on(BACKENDS),
        "malloc_api_test": _on(ALL + HARDENED),
        "malloc_api_test_profiled": _profiled("malloc_api_test"),
        "new_handler_test": _on(BACKENDS),
        "operator_new_test": _on(ALL),
        # Without tracing its options would be reported as ignored.
        "options_test": _on(BACKENDS, deps = _JSON, matrix_without = ["-notrace"]),
        "page_size_test_64k_pages": _large_pages("page_size_test"),
        "realloc_test": _on(ALL + HARDENED_PAIRS),
        "realloc_test_profiled": _profiled("realloc_test"),
        "realloc_test_64k_pages": _large_pages("realloc_test"),
        # Needs event counts and mid blocks.
        "statistics_test": _on(BACKENDS, deps = _JSON + ["//hakmem:statistics_list"], matrix_without = ["-ace_off", "-notrace"]),
        # Next to the same back-end with tracing.
        "tracing_off_test": _on(
            ["segment-notrace", "superslab-notrace"],
            env_files = {"HAKMEM_TEST_TRACING_LIBRARY": "//:libhakmem-{backend}.so"},
            main = _GTEST_MAIN,
            matrix = False,
            verify = False,
        ),
    },
    "events": {
        "events_dump_test": _on(ALL),
        "events_test": _on(ALL),
    },
    "fork_threads": {
        "cancellation_test": _on(BACKENDS),
        "fork_and_heap_check_test": _on(BACKENDS),
        "fork_and_heap_check_test_long": _long(
            BACKENDS,
            code = "fork_and_heap_check_test",
            env = {"HAKMEM_TEST_FORKS": "1000"},
        ),
        "fork_and_libc_locks_test": _on(BACKENDS),
        "fork_and_streams_test": _on(BACKENDS),
        "fork_handlers_test": _on(BACKENDS + HARDENED),
        "fork_in_handler_test": _on(BACKENDS),
        "fork_test": _on(PAIRS + HARDENED_PAIRS),
        "fork_test_profiled": _profiled("fork_test"),
        "keyless_threads_test": _on(BACKENDS + HARDENED_PAIRS),
        "many_threads_test": _on(BACKENDS),
        "signal_jumps_test": _on(BACKENDS),
        "threads_test": _on(PAIRS + HARDENED_PAIRS),
    },
    "guard": {
        "guard_misuse_test": _on(ALL, deps = ["//base/os:signal_stack_test_helper"]),
        "guard_test": _on(BACKENDS + LARGE_PAGES + ["superslab-notrace"]),
    },
    "profile": {
        "profile_bias_test": _on(BACKENDS, matrix_without = ["-notrace"]),
        "profile_test": _on(ALL),
    },
    "limits": {
        "address_limit_test": _on(PAIRS),
        "commit_limit_test": _on(FAULTS),
        # In a sandbox cgroups are read-only.
        "data_limit_test": _on(FAILING, matrix_without = ["-notrace"], tags = ["no-sandbox"]),
        # Uses most of the machine's memory: runs alone, and only on request.
        "full_machine_test": _on(
            BACKENDS,
            matrix = False,
            size = "enormous",
            tags = ["exclusive", "long", "no-sandbox"],
        ),
        "map_count_test": _on(BACKENDS, env = {"HAKMEM_TEST_LIVE_BLOCKS": "100000"}),
        "map_count_test_million": _long(
            BACKENDS,
            code = "map_count_test",
            env = {"HAKMEM_TEST_LIVE_BLOCKS": "1000000"},
        ),
        "sandbox_test": _on(BACKENDS + HARDENED),
        "small_limits_test": _on(PAIRS + HARDENED),
        "small_stack_test": _on(BACKENDS),
    },
    "memory": {
        "adaptive_pool_test": _on(BACKENDS, matrix_without = ["-ace_fixed", "-ace_off", "-notrace"]),
        "decay_test": _on(PAIRS + HARDENED_PAIRS),
        "decay_test_64k_pages": _large_pages("decay_test"),
        "false_purge_test": _on(PAIRS + HARDENED),
        "give_back_test": _on(PAIRS + HARDENED_PAIRS),
        "idle_threads_test": _on(BACKENDS + HARDENED_PAIRS),
        "sparse_memory_test": _on(PAIRS + HARDENED),
        "thinned_heap_test": _on(BACKENDS + HARDENED),
    },
    "misuse": {
        "abort_handler_test": _on(BACKENDS + HARDENED),
        "bad_free_test": _on(ALL + HARDENED),
        "heap_check_test": _on(FAILING + HARDENED_PAIRS),
        "mismatch_test": _on(BACKENDS + HARDENED),
        "misuse_test": _on(BACKENDS + HARDENED),
        "misuse_words_test": _on(ALL + HARDENED),
    },
    "oom": {
        "after_refusal_test": _on(PAIRS + HARDENED_PAIRS),
        "failure_causes_test": _on(FAILING + ALL),
        "failure_trace_test": _on(FAILING, deps = _JSON, matrix_without = ["-notrace"]),
        "failures_test": _on(FAILING + ALL),
        # No call to the operating system may depend on time.
        "fault_injection_test": _on(FAULTS, env = {"HAKMEM_DECAY": "3600000"}, env_files = _PLAIN_C),
        "fault_threads_test": _on(FEW_FAULTS),
        "impossible_requests_test": _on(ALL),
        "refusals_test": _on(ALL + HARDENED),
    },
    "programs": {
        "beginnings_test": _on(BACKENDS + HARDENED_PAIRS, env_files = {
            "HAKMEM_TEST_AUDITOR": ":libauditor.so",
            "HAKMEM_TEST_NEIGHBOUR": ":libneighbour.so",
        }),
        "early_calls_test": _on(ALL + HARDENED),
        "end_of_life_test": _on(BACKENDS),
        "interposed_calls_test": _on(ALL + HARDENED, env_files = {
            "HAKMEM_TEST_INTERPOSER": ":libinterposer.so",
        }),
        "late_calls_test": _on(PAIRS + HARDENED_PAIRS),
        "late_dlopen_test": _on(ALL, main = _GTEST_MAIN),
        "library_outside_test": _on(
            BACKENDS + [
                "segment-ace_fixed",
                "segment-notrace",
                "superslab-ace_off",
                "superslab-notrace",
            ],
            main = _GTEST_MAIN,
            matrix_without = ["-notrace"],
            verify = False,
        ),
        "other_programs_test": _on(BACKENDS),
        "plain_c_test": _on(ALL, env_files = _PLAIN_C, main = _GTEST_MAIN),
        "plugin_test": _on(BACKENDS, env_files = {"HAKMEM_TEST_PLUGIN": ":libplugin.so"}),
        "sanitized_program_test": _on(BACKENDS, main = _GTEST_MAIN),
        "second_libc_test": _on(BACKENDS + HARDENED, env_files = {
            "HAKMEM_TEST_SECOND_LIBC": ":libsecond_libc.so",
        }),
        "second_names_test": _on(BACKENDS + HARDENED, env_files = {
            "HAKMEM_TEST_SECOND_NAMES_PROGRAM": ":second_names_program",
        }),
    },
}
