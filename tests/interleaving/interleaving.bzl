"""Tests that run a protocol under every interleaving."""

load("@rules_cc//cc:defs.bzl", "cc_test")

def interleaved_test(name, srcs = [], deps = [], size = "medium"):
    """Makes a test of the protocol in `srcs`, whose threads are fibers.

    Args:
      name: of the test; its code is NAME.cc.
      srcs: the protocol's own source, where no target has it.
      deps: what it needs besides the interleaver.
      size: as of every test.
    """
    cc_test(
        name = name,
        size = size,
        srcs = srcs + [name + ".cc"],
        # Fibers switch stacks, which sanitizers do not support.
        tags = ["nosan"],
        deps = deps + [
            "//tests/interleaving",
            "@com_google_googletest//:gtest_main",
        ],
    )
