"""The static library: one file with one object, for linkers outside Bazel."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _static_archive_impl(ctx):
    tools = find_cpp_toolchain(ctx)
    archives = []
    for linker_input in ctx.attr.library[CcInfo].linking_context.linker_inputs.to_list():
        for library in linker_input.libraries:
            archives.append(library.pic_static_library or library.static_library)
    output = ctx.actions.declare_file(ctx.label.name)

    # One object: whoever needs any function of it gets all, operator new as
    # well as malloc. It contains the unwinder, as the shared library does, so
    # that a program in C needs no library for it. Names that are hidden, or the
    # unwinder's, become local ones: a program may have the same.
    ctx.actions.run_shell(
        inputs = depset(archives, transitive = [tools.all_files]),
        outputs = [output],
        arguments = [
            output.path,
            tools.compiler_executable,
            tools.objcopy_executable,
            tools.ar_executable,
        ] + [archive.path for archive in archives],
        command = """
set -e
output=$1 gcc=$2 objcopy=$3 ar=$4
shift 4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$gcc" -r -nostdlib -Wl,--whole-archive "$@" -Wl,--no-whole-archive \
  -lgcc_eh -lgcc -o "$folder/hakmem.o"
"$objcopy" --localize-hidden --wildcard --localize-symbol='_Unwind_*' \
  --localize-symbol='__*register_frame*' --localize-symbol='__frame_state_for' \
  "$folder/hakmem.o"
"$ar" rcsD "$output" "$folder/hakmem.o"
""",
        mnemonic = "StaticArchive",
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([output]))]

static_archive = rule(
    implementation = _static_archive_impl,
    doc = "All code of `library` and of its dependencies as one static library.",
    attrs = {
        "library": attr.label(mandatory = True, providers = [CcInfo]),
        "_cc_toolchain": attr.label(
            default = "@bazel_tools//tools/cpp:current_cc_toolchain",
        ),
    },
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
