"""The libraries that are installed."""

load("//:hakmem.bzl", "fixed_cc_library", "hakmem_shared_library")
load(":archive.bzl", "static_archive")

# The flags that all of them have in common.
_FIXED = dict(
    ace = "adaptive",
    os_calls = "direct",
    tracing = "on",
)

def installed_libraries(libraries):
    """Makes NAME.so.1 for each library, and libhakmem.a of the one so called.

    Args:
      libraries: maps each name to its back-end and its hardening.
    """
    for name, (backend, hardening) in libraries.items():
        hakmem_shared_library(
            name = name + ".so.1",
            backend = backend,
            hardening = hardening,
            **_FIXED
        )
    backend, hardening = libraries["libhakmem"]
    fixed_cc_library(
        name = "hakmem_static",
        backend = backend,
        hardening = hardening,
        library = "//:hakmem",
        tags = ["nosan"],
        **_FIXED
    )
    static_archive(
        name = "libhakmem.a",
        library = ":hakmem_static",
        tags = ["nosan"],
    )
