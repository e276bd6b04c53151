"""Declares the third-party repositories of pins.bzl.

On Debian the archives come from Debian's source packages, all in one run of
apt for each list of pins, and single files from binary packages; elsewhere, or
with --repo_env=HAKMEM_SOURCES=upstream, from the projects' own release pages.
Either way a sha256 decides whether an archive or a file is taken.
"""

load(
    "//third_party:apt.bzl",
    "fetch_debian_package",
    "fetch_debian_sources",
    "has_debian_apt",
)
load("//third_party:pins.bzl", "DEVELOPMENT_PINS", "FILES", "LIBRARY_PINS")

_CHOICE = "HAKMEM_SOURCES"

# The BUILD file of sources that bring headers only, in include/, and none of
# their own.
_HEADER_LIBRARY = """cc_library(
    name = "%s",
    hdrs = glob(["include/**/*.hpp"]),
    includes = ["include"],
    visibility = ["//visibility:public"],
)
"""

def _from_debian(repository_ctx):
    """Returns whether to take packages of Debian rather than the projects' own."""
    choice = repository_ctx.os.environ.get(_CHOICE, "")
    if choice not in ["", "debian", "upstream"]:
        fail("%s is '%s': it must be 'debian' or 'upstream'" % (_CHOICE, choice))
    return choice == "debian" or (not choice and has_debian_apt(repository_ctx))

def _fail_if(reason, what):
    """Fails with what apt said, if it said something.

    Args:
      reason: what fetching returned.
      what: was to be fetched.
    """
    if reason:
        fail("\n".join([
            "could not get %s from Debian:" % what,
            reason,
            "(--repo_env=%s=upstream takes the projects' own archives)" % _CHOICE,
        ]))

def _debian_archives_impl(repository_ctx):
    repository_ctx.file("BUILD.bazel", "", executable = False)
    if not _from_debian(repository_ctx):
        return
    repository_ctx.report_progress("asking apt for Debian's source packages")
    reason = fetch_debian_sources(repository_ctx, repository_ctx.attr.packages)
    _fail_if(reason, "the third-party sources")

_debian_archives = repository_rule(
    implementation = _debian_archives_impl,
    doc = "The upstream tarballs of Debian source packages, or nothing where upstream is asked.",
    attrs = {"packages": attr.string_dict(doc = "Source package -> suite.")},
    environ = [_CHOICE],
)

def _pinned_source_impl(repository_ctx):
    attr = repository_ctx.attr
    folder = repository_ctx.path(attr.archives).dirname
    archive = folder.get_child(attr.archive)
    if archive.exists:
        repository_ctx.download_and_extract(
            "file://" + str(archive),
            sha256 = attr.sha256,
            stripPrefix = attr.strip,
        )
    else:
        repository_ctx.download_and_extract(
            attr.url,
            sha256 = attr.url_sha256,
            stripPrefix = attr.url_strip,
        )
    for path, edits in attr.edits.items():
        text = repository_ctx.read(path)
        for old, new in zip(edits[0::2], edits[1::2]):
            if old not in text:
                fail("%s holds no '%s' to replace" % (path, old))
            text = text.replace(old, new)
        repository_ctx.file(path, text, executable = False)
    if attr.header_library:
        repository_ctx.file(
            "BUILD.bazel",
            _HEADER_LIBRARY % attr.header_library,
            executable = False,
        )

_pinned_source = repository_rule(
    implementation = _pinned_source_impl,
    doc = "The sources of one entry of pins.bzl, checked, unpacked and edited.",
    attrs = {
        "archive": attr.string(mandatory = True),
        "archives": attr.label(mandatory = True),
        "edits": attr.string_list_dict(),
        "header_library": attr.string(),
        "sha256": attr.string(mandatory = True),
        "strip": attr.string(),
        "url": attr.string(mandatory = True),
        "url_sha256": attr.string(mandatory = True),
        "url_strip": attr.string(),
    },
)

def _pinned_file_impl(repository_ctx):
    attr = repository_ctx.attr
    name = attr.path.split("/")[-1]
    repository_ctx.file(
        "BUILD.bazel",
        'exports_files(["%s"], visibility = ["//visibility:public"])\n' % name,
        executable = False,
    )
    url = attr.url
    if _from_debian(repository_ctx):
        repository_ctx.report_progress("asking apt for " + attr.package)
        reason = fetch_debian_package(
            repository_ctx,
            attr.package,
            attr.version,
            attr.suite,
        )
        _fail_if(reason, attr.package)
        url = "file://" + str(repository_ctx.path("package/" + attr.path))
    repository_ctx.download(url, output = name, sha256 = attr.sha256)
    repository_ctx.delete("package")

_pinned_file = repository_rule(
    implementation = _pinned_file_impl,
    doc = "The file of one entry of FILES in pins.bzl, checked.",
    attrs = {
        "package": attr.string(mandatory = True),
        "path": attr.string(mandatory = True),
        "sha256": attr.string(mandatory = True),
        "suite": attr.string(mandatory = True),
        "url": attr.string(mandatory = True),
        "version": attr.string(mandatory = True),
    },
    environ = [_CHOICE],
)

def third_party_files():
    """Declares the repositories that hold one file each."""
    for name, pin in FILES.items():
        _pinned_file(name = name, **pin)

def _pinned_sources(archives, pins):
    """Declares the repositories of `pins` that the workspace does not have yet.

    Args:
      archives: name of a repository for Debian's archives of all of them.
      pins: as in pins.bzl.
    """
    _debian_archives(
        name = archives,
        packages = {pin["source"]: pin["suite"] for pin in pins.values()},
    )
    for name, pin in pins.items():
        if native.existing_rule(name):
            continue
        _pinned_source(
            name = name,
            archive = pin["archive"],
            archives = "@%s//:BUILD.bazel" % archives,
            edits = pin.get("edits", {}),
            header_library = pin.get("header_library", ""),
            sha256 = pin["sha256"],
            strip = pin["strip"],
            url = pin["url"],
            url_sha256 = pin.get("url_sha256", pin["sha256"]),
            url_strip = pin.get("url_strip", pin["strip"]),
        )

def hakmem_dependencies():
    """Declares what the library needs, except what the workspace has already."""
    _pinned_sources("hakmem_debian_archives", LIBRARY_PINS)

def third_party_repositories():
    """Declares every repository that this tree needs."""
    hakmem_dependencies()
    _pinned_sources("development_debian_archives", DEVELOPMENT_PINS)
    third_party_files()

    # Every `bazel test` of Bazel 4 loads this one; undeclared, it would be
    # downloaded.
    native.local_repository(
        name = "remote_coverage_tools",
        path = "third_party/coverage",
    )

    # BUILD files load sh_test from here, because Bazel 8 has none built in.
    native.local_repository(
        name = "rules_shell",
        path = "third_party/rules_shell",
    )
