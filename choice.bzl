"""Build choices: a flag, and the target that it selects."""

load("@bazel_skylib//rules:common_settings.bzl", "string_flag")
load("@rules_cc//cc:defs.bzl", "cc_library")

def choice(name, values, linked, targets = {}, visibility = None):
    """Makes the flag --//package:NAME.

    Args:
      name: of the flag.
      values: its possible values; the first is the default.
      linked: name of an alias for the chosen value's target.
      targets: the target of each value; LINKED_VALUE where omitted.
      visibility: of the alias.

    Also makes a config_setting is_VALUE for each value.
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
      linked: as of choice(); also the name of the folder.
      values: as of choice().
      header: the name by which each is included.
    """
    for value in values:
        cc_library(
            name = "%s_%s" % (linked, value),
            hdrs = ["%s/%s/%s" % (linked, value, header)],
            strip_include_prefix = "%s/%s" % (linked, value),
        )
