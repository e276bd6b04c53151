"""The archive of a release."""

load(":layout.bzl", "LayoutInfo")

# Bazel's names of processors.
_PROCESSORS = {
    "aarch64": "aarch64",
    "k8": "x86_64",
}

def _release_tar_impl(ctx):
    layout = ctx.attr.layout[LayoutInfo]
    processor = ctx.var["TARGET_CPU"]
    name = "hakmem-%s-linux-%s" % (
        ctx.attr.version,
        _PROCESSORS.get(processor, processor),
    )
    lines = ctx.actions.declare_file(ctx.label.name + ".layout")
    ctx.actions.write(lines, "\n".join(sorted(layout.lines)) + "\n")
    archive = ctx.actions.declare_file(name + ".tar.gz")
    checksum = ctx.actions.declare_file(name + ".tar.gz.sha256")
    tools = ctx.files._tool + ctx.files._tree
    ctx.actions.run_shell(
        inputs = layout.files + [lines] + tools,
        outputs = [archive, checksum],
        arguments = [
            ctx.files._tool[0].path,
            lines.path,
            ctx.attr.version,
            name,
            archive.path,
            checksum.path,
        ],
        command = 'python3 "$@"',
        mnemonic = "ReleaseTar",
        use_default_shell_env = True,
    )
    return [DefaultInfo(
        files = depset([archive, checksum]),
        runfiles = ctx.runfiles(files = [archive, checksum]),
    )]

release_tar = rule(
    implementation = _release_tar_impl,
    doc = "hakmem-VERSION-linux-PROCESSOR.tar.gz, and a file with its checksum.",
    attrs = {
        "layout": attr.label(mandatory = True, providers = [LayoutInfo]),
        "version": attr.string(mandatory = True),
        "_tool": attr.label(default = "//packaging:tar.py", allow_files = True),
        "_tree": attr.label(default = "//packaging:tree.py", allow_files = True),
    },
)
