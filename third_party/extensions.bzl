"""The module extension through which Bazel 7 and later see FILES of pins.bzl."""

load("//third_party:repositories.bzl", _declare = "third_party_files")

third_party_files = module_extension(
    implementation = lambda module_ctx: _declare(),
    doc = "One repository for each file that pins.bzl takes from a package.",
)
