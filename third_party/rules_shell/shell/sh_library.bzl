"""sh_library under the label that the published rules_shell gives it."""

def sh_library(**kwargs):
    native.sh_library(**kwargs)
