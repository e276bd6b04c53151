"""Tests of the headers: by each standard of C and C++, and on the library."""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("//:hakmem.bzl", "HAKMEM_TEST_COPTS", "VARIANT_DEFAULTS", "fixed_cc_library")
load("//:hakmem_cc.bzl", "hakmem_cc_test")

_STANDARDS = {
    "c": ["c89", "c99", "c11", "c17", "c2x"],
    "cc": ["c++98", "c++11", "c++14", "c++17", "c++20", "c++2b"],
}

def header_test(name, deps):
    """Makes a test of what the headers say by each standard.

    Args:
      name: of the test, whose code is NAME.cc. NAME_helper.c and NAME_helper.cc
        are compiled once for each standard, with every warning an error.
      deps: of the test and of each of these.
    """
    libraries = []
    for language, standards in _STANDARDS.items():
        for standard in standards:
            libraries.append("%s_%s" % (name, standard.replace("+", "x")))
            cc_library(
                name = libraries[-1],
                testonly = True,
                srcs = ["%s_helper.%s" % (name, language)],
                hdrs = [name + "_helper.h"],
                copts = [
                    "-std=" + standard,
                    "-pedantic-errors",
                    "-Wall",
                    "-Wextra",
                    "-Werror",
                ],
                local_defines = [
                    "HAKMEM_TEST_STANDARD=" + standard.replace("+", "x"),
                ],
                deps = deps,
            )
    hakmem_cc_test(name, libraries + deps, size = "small")

def hpp_tests(code):
    """Makes CODE_HARDENING of CODE.cc, with the library inside.

    Args:
      code: the file without .cc.
    """
    for hardening in ["off", "full"]:
        fixed = dict(VARIANT_DEFAULTS, backend = "segment", hardening = hardening)
        library = "hakmem_" + hardening
        fixed_cc_library(
            name = library,
            testonly = True,
            library = "//:hakmem",
            tags = ["nosan"],
            **fixed
        )
        hakmem_cc_test(
            "%s_%s" % (code, hardening),
            [library],
            code = code,
            copts = HAKMEM_TEST_COPTS,
            size = "small",
            tags = ["nosan"],
        )
