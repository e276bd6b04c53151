"""Build choices: a flag, and the target that it selects."""

load("@bazel_skylib//rules:common_settings.bzl", "string_flag")

def choice(name, *values, linked = None, targets = {}):
    """Makes the flag --//package:NAME.

    Args:
      name: of the flag.
      *values: its possible values; the first is the default.
      linked: name of an alias for the chosen value's target.
      targets: the target of each value; LINKED_VALUE where omitted.

    Also makes a config_setting is_VALUE for each value.
    """
    string_flag(
        name = name,
        build_setting_default = values[0],
        values = list(values),
        visibility = ["//visibility:public"],
    )
    for value in values:
        native.config_setting(
            name = "is_" + value,
            flag_values = {":" + name: value},
            visibility = ["//:__subpackages__"],
        )
    if linked:
        native.alias(
            name = linked,
            actual = select({
                ":is_" + value: targets.get(value, ":%s_%s" % (linked, value))
                for value in values
            }),
        )
