"""Allocators that tests preload into programs."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//:hakmem.bzl", "HAKMEM_NO_BUILTIN_MALLOC")

def preloaded_test_malloc(name, **kwargs):
    """Makes libNAME.so of NAME.cc, whose malloc a test preloads into a program.

    Args:
      name: of the code, which has no exceptions.
      **kwargs: as of cc_binary; it is linked to nothing that it does not use.
    """
    cc_binary(
        name = "lib%s.so" % name,
        testonly = True,
        srcs = [name + ".cc"],
        copts = HAKMEM_NO_BUILTIN_MALLOC + ["-fno-exceptions"],
        linkopts = ["-Wl,--as-needed"],
        linkshared = True,
        # Sanitizers bring their own malloc.
        tags = ["nosan"],
        **kwargs
    )
