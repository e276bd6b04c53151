"""Tests over an operating system that can refuse memory."""

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
