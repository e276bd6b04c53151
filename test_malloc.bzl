"""Allocators that tests preload into programs."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//:hakmem.bzl", "HAKMEM_NO_BUILTIN_MALLOC")

def preloaded_test_malloc(name, srcs, deps = [], visibility = None):
    """Makes a shared library whose malloc a test preloads into a program.

    Args:
      name: of the target and of the file, e.g. "libbroken_test_helper.so".
      srcs: its code, without exceptions.
      deps: what else it needs; it is linked to nothing that it does not use.
      visibility: as of every target.
    """
    cc_binary(
        name = name,
        testonly = True,
        srcs = srcs,
        copts = HAKMEM_NO_BUILTIN_MALLOC + ["-fno-exceptions"],
        linkopts = ["-Wl,--as-needed"],
        linkshared = True,
        # Sanitizers bring their own malloc.
        tags = ["nosan"],
        visibility = visibility,
        deps = deps,
    )
