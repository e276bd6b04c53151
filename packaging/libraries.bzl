"""The libraries that are installed."""

load("//:hakmem.bzl", "VARIANT_DEFAULTS", "fixed_cc_library", "hakmem_shared_library")
load(":archive.bzl", "static_archive")

def installed_libraries(libraries):
    """Makes NAME.so.1 for each library, and libhakmem.a of the one so called.

    Args:
      libraries: maps each name to its back-end and its hardening.
    """
    for name, (backend, hardening) in libraries.items():
        fixed = dict(VARIANT_DEFAULTS, backend = backend, hardening = hardening)
        hakmem_shared_library(name = name + ".so.1", **fixed)
        if name == "libhakmem":
            fixed_cc_library(
                name = "hakmem_static",
                library = "//:hakmem",
                tags = ["nosan"],
                **fixed
            )
    static_archive(
        name = "libhakmem.a",
        library = ":hakmem_static",
        tags = ["nosan"],
    )
