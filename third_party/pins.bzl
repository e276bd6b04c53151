"""The third-party sources: one entry per Bazel repository, pinned by sha256.

Each entry names the same files twice:
  source, suite   the Debian source package and the suite that has this version;
  archive, sha256, strip
                  its upstream tarball in Debian, and the folder inside it;
  url, url_sha256, url_strip
                  the release archive of the project itself.
Where the two tarballs are the same file, the url_ fields are left out.
`edits` are the changes the sources need: file -> [old, new, old, new, ...].
`header_library` is for sources that bring no BUILD file: the name of the one
cc_library to write for them, whose headers lie in include/.

The versions are the newest that Bazel 4.2.3, Debian 12's, can read.
"""

# What the library needs, and so whoever builds it as a part of something.
LIBRARY_PINS = {
    "com_google_absl": dict(
        source = "abseil",
        suite = "trixie",
        archive = "abseil_20240722.0.orig.tar.gz",
        sha256 = "df6d1f5ef540725f3851201176a60486aab332410788465c9877910bb471c34a",
        strip = "abseil-20240722.0",
        url = "https://github.com/abseil/abseil-cpp/archive/refs/tags/20240722.0.tar.gz",
        url_sha256 = "f50e5ac311a81382da7fa75b97310e4b9006474f9560ac46f54a9967f07d4ae3",
        url_strip = "abseil-cpp-20240722.0",
    ),
    "bazel_skylib": dict(
        source = "bazel-skylib",
        suite = "bookworm",
        archive = "bazel-skylib_1.0.3.orig.tar.xz",
        sha256 = "b22f0f38d9a1ac565fce8a43df3d284f6b8e5e8775bda54b5cb687bed46b6ea4",
        strip = "bazel-skylib-1.0.3",
        url = "https://github.com/bazelbuild/bazel-skylib/releases/download/1.0.3/bazel-skylib-1.0.3.tar.gz",
        url_sha256 = "1c531376ac7e5a180e0237938a2536de0c54d93f5c278634818e0efc952dd56c",
        url_strip = "",
    ),
    # use_cpp_toolchain() came with Bazel 5; what it returns is spelled out, so
    # that Bazel 4 can load the rules too.
    "rules_cc": dict(
        source = "bazel-rules-cc",
        suite = "bookworm",
        archive = "bazel-rules-cc_0.0.4.orig.tar.xz",
        sha256 = "b147e1d69afb30b36616a9c7cf6c661b48e01d79581f36927eb39e04ffc572ff",
        strip = "rules_cc-0.0.4",
        url = "https://github.com/bazelbuild/rules_cc/releases/download/0.0.4/rules_cc-0.0.4.tar.gz",
        url_sha256 = "af6cc82d87db94585bceeda2561cb8a9d55ad435318ccb4ddfee18a43580fb5d",
        url_strip = "rules_cc-0.0.4",
        edits = {
            "cc/private/rules_impl/" + name: [
                ', "use_cpp_toolchain"',
                "",
                "use_cpp_toolchain()",
                '["@bazel_tools//tools/cpp:toolchain_type"]',
            ]
            for name in [
                "cc_flags_supplier.bzl",
                "compiler_flag.bzl",
            ]
        },
    ),
    # Bazel 4's own copy lacks cpu:wasm32, which Abseil names.
    "platforms": dict(
        source = "bazel-platforms",
        suite = "bookworm",
        archive = "bazel-platforms_0.0.2.orig.tar.xz",
        sha256 = "2e582a0841457e38ba2b263c7021bc57241f6934f86df8a1b5c5ae32169bf490",
        strip = "platforms-0.0.2",
        url = "https://github.com/bazelbuild/platforms/releases/download/0.0.4/platforms-0.0.4.tar.gz",
        url_sha256 = "079945598e4b6cc075846f7fd6a9d0857c33a7afc0de868c2ccb96405225135d",
        url_strip = "",
    ),
    # No Java here, but Bazel 4 loads these rules whenever it resolves a
    # toolchain.
    "rules_java": dict(
        source = "bazel-rules-java",
        suite = "bookworm",
        archive = "bazel-rules-java_4.0.0.orig.tar.xz",
        sha256 = "dcb49111bead562cc76418ccb598ecbb367d6b9d35be8808aa7fa354e9751fb5",
        strip = "",
        url = "https://github.com/bazelbuild/rules_java/releases/download/4.0.0/rules_java-4.0.0.tar.gz",
        url_sha256 = "34b41ec683e67253043ab1a3d1e8b7c61e4e8edefbcad485381328c934d072fe",
        url_strip = "",
    ),
}

# What only the tests, benchmarks and tools of this tree need.
DEVELOPMENT_PINS = {
    "com_google_googletest": dict(
        source = "googletest",
        suite = "bookworm",
        archive = "googletest_1.12.1.orig.tar.gz",
        sha256 = "81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2",
        strip = "googletest-release-1.12.1",
        url = "https://github.com/google/googletest/archive/refs/tags/release-1.12.1.tar.gz",
    ),
    "com_github_google_benchmark": dict(
        source = "benchmark",
        suite = "bookworm",
        archive = "benchmark_1.7.1.orig.tar.gz",
        sha256 = "6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7",
        strip = "benchmark-1.7.1",
        url = "https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz",
    ),
    # The names of the repositories and their targets are those that the Bazel
    # registry's modules have (MODULE.bazel).
    "nlohmann_json": dict(
        source = "nlohmann-json3",
        suite = "bookworm",
        archive = "nlohmann-json3_3.11.2.orig.tar.gz",
        sha256 = "d69f9deb6a75e2580465c6c4c5111b89c4dc2fa94e3a85fcd2ffcd9a143d9273",
        strip = "json-3.11.2",
        url = "https://github.com/nlohmann/json/archive/refs/tags/v3.11.2.tar.gz",
        header_library = "json",
    ),
    "cli11": dict(
        source = "cli11",
        suite = "bookworm",
        archive = "cli11_2.1.2+ds.orig.tar.xz",
        sha256 = "8143d20b688e98ccce8e24562d3b68e5f47c12e896c42c7ca8553dbde5bed55d",
        strip = "CLI11-2.1.2",
        url = "https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.1.2.tar.gz",
        url_sha256 = "26291377e892ba0e5b4972cdfd4a2ab3bf53af8dac1f4ea8fe0d1376b625c8cb",
        url_strip = "CLI11-2.1.2",
        header_library = "cli11",
    ),
}

# Single files, ready for use, that a Debian binary package carries:
#   package, version, suite   the binary package;
#   path                      where the file is in it;
#   url                       the same file, bit for bit, from the project;
#   sha256                    of the file.
# The label is @NAME//:FILE.
FILES = {
    # Charts of the benchmarks' report. MIT licence; its notice goes with the
    # file into each report. It contains @kurkle/color 0.2.1, of the same licence.
    "chart_js": dict(
        package = "libjs-chart.js",
        version = "3.9.1+~0.2.1-2",
        suite = "bookworm",
        path = "usr/share/javascript/chart.js/chart.min.js",
        url = "https://github.com/chartjs/Chart.js/releases/download/v3.9.1/chart.min.js",
        sha256 = "fbc45926e6b46845a0f905552a0e0b1331049bff1115ecf94dbe0904d895e710",
    ),
}
