"""Fetches Debian packages with apt, as any user, touching no system file.

Which mirror to ask is read from the system's own lists of sources, old
(one line each) and new (deb822) form alike: the entries that carry Debian's
main archive, turned into entries for the suites and the type of package wanted
(deb-src: sources; deb: binary packages). apt then runs with state and cache
folders of its own, and checks signatures as ever.
"""

# What the suite of a Debian main archive may be called in a list of sources.
_SUITES = ["bookworm", "oldstable", "sid", "stable", "testing", "trixie", "unstable"]

# Fields of an entry that say how to trust the archive: kept as they are.
_TRUST = {"signed-by": "Signed-By", "trusted": "Trusted"}

def _parse_stanzas(text):
    """Returns the deb822 stanzas of `text` as dicts, field names in lower case."""
    stanzas = []
    fields = {}
    field = None
    for line in text.split("\n") + [""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                stanzas.append(fields)
            fields = {}
            field = None
        elif line[0] in " \t":
            if field:
                fields[field] += "\n" + line
        elif ":" in line:
            field, value = line.split(":", 1)
            field = field.strip().lower()
            fields[field] = value.strip()
    return stanzas

def _parse_lines(text):
    """Returns the entries of a one-line-style list in the form of stanzas."""
    stanzas = []
    for line in text.split("\n"):
        line = line.split("#")[0].replace("\t", " ").strip()
        if not line.startswith("deb ") and not line.startswith("deb-src "):
            continue
        kind, rest = line.split(" ", 1)
        fields = {"types": kind}
        rest = rest.strip()
        if rest.startswith("["):
            options, rest = rest[1:].split("]", 1)
            for option in options.split(" "):
                key, _, value = option.partition("=")
                fields[key.lower()] = value.replace(",", " ")
        words = [word for word in rest.split(" ") if word]
        if len(words) < 3:
            continue
        fields["uris"] = words[0]
        fields["suites"] = words[1]
        fields["components"] = " ".join(words[2:])
        stanzas.append(fields)
    return stanzas

def _system_stanzas(repository_ctx):
    """Returns every entry of the system's lists of sources."""
    main = repository_ctx.path("/etc/apt/sources.list")
    parts = repository_ctx.path("/etc/apt/sources.list.d")
    paths = [main] if main.exists else []
    if parts.exists:
        paths += parts.readdir()
    stanzas = []
    for path in paths:
        if path.basename.endswith(".list"):
            stanzas += _parse_lines(repository_ctx.read(path))
        elif path.basename.endswith(".sources"):
            stanzas += _parse_stanzas(repository_ctx.read(path))
    return stanzas

def _words(text):
    return text.replace("\n", " ").replace("\t", " ").split(" ")

def _source_lists(repository_ctx, type, suites):
    """Returns one list (text) for every entry that may be Debian's main archive.

    Args:
      repository_ctx: of the rule that calls.
      type: of the entries to make, "deb" or "deb-src".
      suites: to name in them.
    """
    lists = []
    for fields in _system_stanzas(repository_ctx):
        if fields.get("enabled", "yes").lower() in ["no", "false", "0"]:
            continue
        if "main" not in _words(fields.get("components", "")):
            continue
        if not [s for s in _words(fields.get("suites", "")) if s in _SUITES]:
            continue
        lines = [
            "Types: " + type,
            "URIs: " + fields.get("uris", ""),
            "Suites: " + " ".join(suites),
            "Components: main",
        ]
        lines += [_TRUST[key] + ": " + fields[key] for key in _TRUST if fields.get(key)]
        text = "\n".join(lines) + "\n"
        if text not in lists:
            lists.append(text)
    return lists

def has_debian_apt(repository_ctx):
    """Returns whether this is Debian, and apt is there to ask for its sources."""
    release = repository_ctx.path("/etc/os-release")
    if not release.exists or not repository_ctx.which("apt-get"):
        return False
    lines = repository_ctx.read(release).replace('"', "").split("\n")
    return "ID=debian" in lines

def _run_apt(repository_ctx, type, suites, command):
    """Runs `apt-get update`, then apt-get with `command`, in the repository's root.

    Args:
      repository_ctx: of the rule that calls.
      type: of the packages, "deb" or "deb-src".
      suites: to take packages from.
      command: arguments of the second apt-get.

    Returns:
      None, or what apt said when the command failed with every entry of the
      system's lists.
    """
    options = []
    for key, value in {
        "Dir::State": repository_ctx.path("apt/state"),
        "Dir::Cache": repository_ctx.path("apt/cache"),
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Dir::Etc::sourcelist": repository_ctx.path("apt/debian.sources"),
        "Dir::Etc::sourceparts": "/dev/null",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "APT::Sandbox::User": "root",
    }.items():
        options += ["-o", "%s=%s" % (key, value)]

    lists = _source_lists(repository_ctx, type, suites)
    if not lists:
        return "no list of sources in /etc/apt names Debian's main archive"
    reasons = []
    for text in lists:
        repository_ctx.delete("apt")
        repository_ctx.file("apt/debian.sources", text, executable = False)
        repository_ctx.file("apt/state/lists/partial/.keep", "", executable = False)
        repository_ctx.file("apt/cache/archives/partial/.keep", "", executable = False)

        # The update's status says little (hooks of the system's apt fail for
        # ordinary users): whether the packages come decides.
        for arguments in [["update"], command]:
            result = repository_ctx.execute(
                ["apt-get", "-q"] + options + arguments,
                environment = {"LC_ALL": "C"},
            )
            reasons.append(result.stderr.strip())
        repository_ctx.delete("apt")
        if result.return_code == 0:
            return None
    return "\n".join([reason for reason in reasons if reason])

def fetch_debian_sources(repository_ctx, packages):
    """Downloads upstream tarballs of Debian source packages into the repository.

    Args:
      repository_ctx: of the rule that calls; the files land in its root.
      packages: dict, source package -> suite to take it from.

    Returns:
      None, or what apt said when no entry of the system's lists had them.
    """
    suites = {suite: None for suite in packages.values()}.keys()
    wanted = ["%s/%s" % (source, packages[source]) for source in packages]
    command = ["source", "--download-only", "--tar-only"] + wanted
    return _run_apt(repository_ctx, "deb-src", suites, command)

def fetch_debian_package(repository_ctx, package, version, suite):
    """Downloads a Debian binary package and unpacks it into the folder `package`.

    Args:
      repository_ctx: of the rule that calls.
      package: name of the binary package.
      version: of it, exactly.
      suite: to take it from.

    Returns:
      None, or what went wrong.
    """
    command = ["download", "%s=%s" % (package, version)]
    reason = _run_apt(repository_ctx, "deb", [suite], command)
    if reason:
        return reason
    for path in repository_ctx.path(".").readdir():
        if path.basename.endswith(".deb"):
            result = repository_ctx.execute(["dpkg-deb", "-x", str(path), "package"])
            repository_ctx.delete(path)
            return result.stderr if result.return_code else None
    return "apt-get download %s brought no package" % package
