"""Choices of the build: a flag, and the target that it links in."""

load("@bazel_skylib//rules:common_settings.bzl", "string_flag")
load("@rules_cc//cc:defs.bzl", "cc_library")

def choice(name, values, linked, targets = {}, visibility = None):
    """Makes the flag --//package:NAME.

    Args:
      name: of the flag.
      values: what it may be; the first is the default.
      linked: name of an alias to the target of the value that is chosen.
      targets: those targets by value, LINKED_VALUE where one is not named.
      visibility: of the alias.

    Makes a config_setting is_VALUE for each value, too.
    """
    string_flag(
        name = name,
        build_setting_default = values[0],
        values = values,
        visibility = ["//visibility:public"],
    )
    for value in values:
        native.config_setting(
            name = "is_" + value,
            flag_values = {":" + name: value},
            visibility = ["//:__subpackages__"],
        )
    native.alias(
        name = linked,
        actual = select({
            ":is_" + value: targets.get(value, ":%s_%s" % (linked, value))
            for value in values
        }),
        visibility = visibility,
    )

def headers_of_choice(linked, values, header):
    """Makes LINKED_VALUE for each value: one header, LINKED/VALUE/`header`.

    Args:
      linked: as of choice(), and the folder.
      values: as of choice().
      header: the name under which each is included.
    """
    for value in values:
        cc_library(
            name = "%s_%s" % (linked, value),
            hdrs = ["%s/%s/%s" % (linked, value, header)],
            strip_include_prefix = "%s/%s" % (linked, value),
        )
