"""One model of a layer, and the programs that run it."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

def _with_faults_impl(settings, attr):
    return {"//base/os:os_calls": "injected"}

_with_faults = transition(
    implementation = _with_faults_impl,
    inputs = [],
    outputs = ["//base/os:os_calls"],
)

def _faults_test_impl(ctx):
    program = ctx.attr.test[0]
    output = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = output,
        target_file = program[DefaultInfo].files_to_run.executable,
        is_executable = True,
    )
    return [DefaultInfo(
        executable = output,
        runfiles = program[DefaultInfo].default_runfiles,
    ), testing.TestEnvironment(ctx.attr.env)]

faults_test = rule(
    implementation = _faults_test_impl,
    doc = "The test `test`, over an operating system that can refuse memory.",
    attrs = {
        "env": attr.string_dict(),
        "test": attr.label(cfg = _with_faults, mandatory = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    test = True,
)

def model(name, layer, deps, srcs = [], faults = False):
    """Makes the model of a layer and what runs it.

    Args:
      name: of the model, e.g. "page_heap": its code is NAME_model.h and .cc.
      layer: the targets that the model drives.
      deps: what else the model needs.
      srcs: its files beside NAME_model.cc.
      faults: whether it is also run where the system refuses memory.

    Makes NAME_model_test, for NAME_faults_model_test the same over refusals,
    and NAME_fuzz, a libFuzzer program for --config=fuzz.
    """
    cc_library(
        name = name + "_model",
        testonly = True,
        srcs = [name + "_model.cc"] + srcs,
        deps = layer + deps,
    )
    env = {"HAKMEM_FUZZ_CRASHES": "tests/state_fuzz/seeds/" + name}
    crashes = native.glob(["seeds/%s/*" % name], allow_empty = True)
    cc_test(
        name = name + "_model_test",
        size = "small",
        srcs = ["model_test.cc"],
        data = crashes,
        env = env,
        deps = [
            name + "_model",
            ":model",
            "@com_google_googletest//:gtest_main",
        ],
    )
    if faults:
        faults_test(
            name = name + "_faults_model_test",
            size = "small",
            env = env,
            test = name + "_model_test",
        )
    cc_binary(
        name = name + "_fuzz",
        testonly = True,
        srcs = ["model_fuzz.cc"],
        linkopts = ["-fsanitize=fuzzer"],
        # For --config=fuzz only: gcc has no such sanitizer.
        tags = ["manual"],
        deps = [
            name + "_model",
            ":model",
        ],
    )
