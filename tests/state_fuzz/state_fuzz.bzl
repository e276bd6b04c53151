"""One model of a layer, and the programs that run it."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load("//:hakmem_cc.bzl", "hakmem_cc_test")
load(":faults_test.bzl", "faults_test")

def model(name, deps, faults = False):
    """Makes the model of a layer and what runs it.

    Args:
      name: of the model, e.g. "page_heap": its code is NAME_model.cc.
      deps: what the model drives and needs.
      faults: whether it is also run where the system refuses memory.

    Makes NAME_model_test, for NAME_faults_model_test the same over refusals,
    and NAME_fuzz, a libFuzzer program for --config=fuzz.
    """
    cc_library(
        name = name + "_model",
        testonly = True,
        srcs = [name + "_model.cc"] + native.glob(["*_model.h"]) + ["turns.h"],
        deps = [":model"] + deps,
    )
    env = {"HAKMEM_FUZZ_CRASHES": "tests/state_fuzz/seeds/" + name}
    hakmem_cc_test(
        name = name + "_model_test",
        code = "model_test",
        size = "small",
        data = native.glob(["seeds/%s/*" % name], allow_empty = True),
        env = env,
        deps = [name + "_model", ":model"],
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
        deps = [name + "_model", ":model"],
    )

def models(models, deps, **kwargs):
    """Several: `models` maps each name to what it needs besides `deps`."""
    for name, more in models.items():
        model(name, deps + more, **kwargs)
