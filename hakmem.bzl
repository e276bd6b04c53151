"""Compiler flags of the allocator, and the rule for its shared libraries."""

load("@rules_cc//cc:defs.bzl", "cc_binary")

BACKENDS = ["segment", "superslab"]

ACE_FORMS = ["adaptive", "fixed", "off"]

def libraries(*ends):
    """Returns the variants of both back-ends whose names end so: "-ace_off"."""
    return ["//:libhakmem-%s%s.so" % (backend, end) for backend in BACKENDS for end in ends]

# These must not be builtins: the compiler turns malloc and memset into calloc
# (inside calloc, an endless recursion), and removes pairs of malloc and free
# that a test or a benchmark needs.
HAKMEM_NO_BUILTIN_MALLOC = ["-fno-builtin-" + name for name in [
    "malloc",
    "calloc",
    "realloc",
    "free",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
]]

# For tests. clang declares the sized forms of operator delete only with this.
HAKMEM_TEST_COPTS = HAKMEM_NO_BUILTIN_MALLOC + ["-fsized-deallocation"]

# For every library that is linked into libhakmem.so.
#
# Unwind tables are needed although nothing here throws: a bad_alloc thrown in
# operator new unwinds through our frames. No -fno-threadsafe-statics: so that
# function-local statics with constructors need libstdc++, which
# //tests/blackbox/programs:library_outside_test reports.
HAKMEM_COPTS = HAKMEM_NO_BUILTIN_MALLOC + [
    "-std=c++20",
    "-fno-exceptions",
    "-fasynchronous-unwind-tables",
    "-fno-rtti",
    # Calls between our files and to libc are direct, not through the PLT.
    "-fvisibility=hidden",
    "-fno-semantic-interposition",
    "-fno-plt",
    # One load for the thread-local offset; an immediate where the allocator is
    # linked into the program.
    "-ftls-model=initial-exec",
    "-fomit-frame-pointer",
] + select({
    # Bazel's default, in which programs that use the library are built.
    "//:is_fastbuild": ["-O2"],
    "//conditions:default": [],
})

_LINKOPTS = [
    # Toolchains append -lstdc++ and -lm: drop those that are not used.
    "-Wl,--as-needed",
    # Contains the unwinder, for stack traces of failures: C programs have none.
    "-static-libgcc",
    "-Wl,--exclude-libs,libgcc.a:libgcc_eh.a",
    "-Wl,-z,defs",
    "-Wl,-z,relro,-z,now",
    # Threads run our destructors at their end, even after a dlclose.
    "-Wl,-z,nodelete",
    "-Wl,--gc-sections",
    "-Wl,--version-script=$(location //:hakmem.lds)",
]

# Attributes of a fixed library, and the flags that they set.
_FLAGS = {
    "ace": "//ace:ace",
    "backend": "//backend:backend",
    "hardening": "//hardening:hardening",
    "os_calls": "//base/os:os_calls",
    "tracing": "//tracing:tracing",
}

_COPT = "//command_line_option:copt"

_LINKOPT = "//command_line_option:linkopt"

_UBSAN = "-fsanitize=undefined"

# Understood by gcc and by clang.
_UBSAN_TRAPS = "-fsanitize-undefined-trap-on-error"

def _variant_impl(settings, attr):
    copts = settings[_COPT]
    linkopts = settings[_LINKOPT]

    # UBSan's runtime needs a malloc and the C++ runtime, so a library that
    # replaces malloc cannot use it: UBSan traps instead (SIGILL).
    if attr.replaces_malloc and _UBSAN in copts:
        copts = [c for c in copts if c != _UBSAN_TRAPS] + [_UBSAN_TRAPS]
        linkopts = [option for option in linkopts if option != _UBSAN]
    return dict({
        flag: getattr(attr, name) or settings[flag]
        for name, flag in _FLAGS.items()
    }, **{_COPT: copts, _LINKOPT: linkopts})

_variant = transition(
    implementation = _variant_impl,
    inputs = _FLAGS.values() + [_COPT, _LINKOPT],
    outputs = _FLAGS.values() + [_COPT, _LINKOPT],
)

def _fixed_library_impl(ctx):
    # A copy, not a link: /proc/PID/maps then shows the variant's own name.
    library = ctx.files.library[0]
    output = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.run_shell(
        inputs = [library],
        outputs = [output],
        arguments = [library.path, output.path],
        command = 'cp "$1" "$2"',
        mnemonic = "CopyLibrary",
    )
    return [DefaultInfo(
        files = depset([output]),
        runfiles = ctx.runfiles(files = [output]),
    )]

_FIXED_ATTRIBUTES = {
    "ace": attr.string(values = ["", "adaptive", "fixed", "off"]),
    "backend": attr.string(values = ["", "segment", "superslab"]),
    "hardening": attr.string(values = ["", "off", "checks", "full"]),
    "library": attr.label(cfg = _variant, mandatory = True),
    "os_calls": attr.string(values = ["", "direct", "injected"]),
    "replaces_malloc": attr.bool(default = False),
    "tracing": attr.string(values = ["", "on", "off"]),
    "_allowlist_function_transition": attr.label(
        default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
    ),
}

_fixed_library = rule(
    implementation = _fixed_library_impl,
    doc = "The file of `library`, built with flags fixed whatever the command line says.",
    attrs = _FIXED_ATTRIBUTES,
)

def _fixed_cc_library_impl(ctx):
    return [ctx.attr.library[0][CcInfo]]

fixed_cc_library = rule(
    implementation = _fixed_cc_library_impl,
    doc = "The cc_library `library`, built with flags fixed whatever the command line says.",
    attrs = _FIXED_ATTRIBUTES,
)

def hakmem_shared_library(
        name,
        testonly = False,
        verify = False,
        visibility = None,
        tags = [],
        **fixed):
    """Makes the drop-in shared library as a file called `name`.

    Args:
      name: of the target and of the file, e.g. "libhakmem-segment.so".
      testonly: as of every rule.
      verify: whether hakmem_check_heap is in it.
      visibility: of the target.
      tags: of the target.
      **fixed: flags that override the command line: backend, ace, tracing,
        hardening, os_calls. Without any, the library follows the command line.
    """
    cc_binary(
        name = "any_flags/" + name if fixed else name,
        testonly = testonly,
        additional_linker_inputs = ["//:hakmem.lds"],
        linkopts = _LINKOPTS + ["-Wl,-soname," + name],
        linkshared = True,
        # ASan and TSan have their own malloc, and leave symbols undefined.
        tags = ["nosan"] + (["manual"] if fixed else tags),
        visibility = ["//visibility:private"] if fixed else visibility,
        deps = ["//frontend/override"] + (["//frontend/verify"] if verify else []) + select({
            # musl has no IFUNC.
            "//third_party/toolchains/musl": [],
            "//conditions:default": ["//frontend/override:bins_at_relocation"],
        }),
    )
    if fixed:
        _fixed_library(
            name = name,
            testonly = testonly,
            library = ":any_flags/" + name,
            replaces_malloc = True,
            tags = ["nosan"] + tags,
            visibility = visibility,
            **fixed
        )

# The flags of the variants that name none.
VARIANT_DEFAULTS = {"ace": "adaptive", "hardening": "off", "os_calls": "direct", "tracing": "on"}

# What a variant's name ends in, and its flags that are not those above. Each
# exists with hakmem_check_heap (-verify), too.
_VARIANTS = {
    "": {},
    "-ace_fixed": {"ace": "fixed"},
    "-ace_off": {"ace": "off"},
    "-checks": {"hardening": "checks"},
    "-full": {"hardening": "full"},
    "-notrace": {"tracing": "off"},
}

# For tests, with hakmem_check_heap; see tests/blackbox/tests.bzl. Calls to the
# operating system can be made to fail in those that end in -faults.
_TEST_VARIANTS = {
    "-ace_fixed-notrace-verify": {"ace": "fixed", "tracing": "off"},
    "-ace_off-notrace-verify": {"ace": "off", "tracing": "off"},
    "-adaptive-faults": {"os_calls": "injected"},
    "-fixed-faults": {"ace": "fixed", "os_calls": "injected"},
    "-off-faults": {"ace": "off", "os_calls": "injected"},
}

# Of those, what only the long matrix uses.
_MANUAL = ["segment-ace_fixed-notrace-verify", "superslab-ace_off-notrace-verify"]

def hakmem_shared_libraries():
    """Makes all variants with fixed flags, side by side."""
    for backend in BACKENDS:
        for end, flags in _VARIANTS.items():
            fixed = dict(VARIANT_DEFAULTS, backend = backend, **flags)
            name = "libhakmem-" + backend + end
            hakmem_shared_library(name + ".so", **fixed)
            hakmem_shared_library(name + "-verify.so", verify = True, **fixed)
        for end, flags in _TEST_VARIANTS.items():
            hakmem_shared_library(
                "libhakmem-%s%s.so" % (backend, end),
                testonly = True,
                tags = ["manual"] if backend + end in _MANUAL else [],
                verify = True,
                **dict(VARIANT_DEFAULTS, backend = backend, **flags)
            )
