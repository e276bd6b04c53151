"""Who may use what: arrows point down only (CONTRIBUTING.md, "Where things are")."""

# The folders that may use a layer's rooms, as package group //:above_LAYER.
_ABOVE = {
    "frontend": ["frontend", "tests"],
    "ace": ["frontend", "tests"],
    "backend": ["ace", "backend", "frontend", "tests"],
    "tracing": ["ace", "backend", "frontend", "tests", "tracing"],
    "base": ["ace", "backend", "base", "frontend", "hardening", "tests", "tools", "tracing"],
    # Below the programs.
    "tools": ["benchmarks", "tools"],
}

def layers():
    """Makes the package groups that rooms have as their visibility."""
    for layer, folders in _ABOVE.items():
        native.package_group(
            name = "above_" + layer,
            packages = ["//%s/..." % folder for folder in folders],
        )
