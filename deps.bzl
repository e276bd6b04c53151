"""What the WORKSPACE of a project that uses HAKMEM loads (README.md)."""

load("//third_party:repositories.bzl", _dependencies = "hakmem_dependencies")

hakmem_dependencies = _dependencies
