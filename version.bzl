"""The version of HAKMEM: the only place that says it to the build.

MODULE.bazel, which can load nothing, repeats it; //tools:version_test compares
them, the library and CHANGELOG.md.
"""

VERSION = "0.2.0"
