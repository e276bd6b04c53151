"""What is installed where: the one list that all packages are made from."""

LayoutInfo = provider(
    doc = "What is installed.",
    fields = {
        "files": "a list of all files",
        "lines": "the list with SOURCE as an action sees it",
    },
)

def _layout_impl(ctx):
    lines = []
    lines_of_actions = []
    files = []
    for target, places in ctx.attr.files.items():
        (file,) = target.files.to_list()
        files.append(file)
        kind, mode, path = places.split(" ")
        lines.append(" ".join([kind, mode, path, file.short_path]))
        lines_of_actions.append(" ".join([kind, mode, path, file.path]))
    links = [
        " ".join(["link", "777", path, target])
        for path, target in ctx.attr.links.items()
    ]
    lines += links
    output = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(output, "\n".join(sorted(lines)) + "\n")
    return [
        DefaultInfo(
            files = depset([output]),
            runfiles = ctx.runfiles(files = files + [output]),
        ),
        LayoutInfo(files = files, lines = lines_of_actions + links),
    ]

_layout = rule(
    implementation = _layout_impl,
    doc = """A list of what is installed, a line each:

        KIND MODE PATH SOURCE

    PATH is below the prefix; LIBDIR in it stands for lib or its like. KIND is
    "file", "text" (@PREFIX@, @LIBDIR@ and @VERSION@ in it are replaced) or
    "link" (SOURCE is where it points to).""",
    attrs = {
        "files": attr.label_keyed_string_dict(
            allow_files = True,
            doc = "The file -> \"KIND MODE PATH\".",
        ),
        "links": attr.string_dict(doc = "PATH -> where it points to."),
    },
)

def layout(name, files, libraries):
    """Makes the list.

    Args:
      name: of the target and of the file.
      files: maps the label of each file to "KIND MODE PATH".
      libraries: the names of the libraries (libraries.bzl).
    """
    all_files = {":libhakmem.a": "file 644 LIBDIR/libhakmem.a"}
    all_files.update(files)
    for library in libraries:
        file = library + ".so.1"
        all_files[":" + file] = "file 755 LIBDIR/" + file
    _layout(
        name = name,
        files = all_files,
        links = {
            "LIBDIR/%s.so" % library: library + ".so.1"
            for library in libraries
        },
        tags = ["nosan"],
    )
