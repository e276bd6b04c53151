"""sh_test under the label that the published rules_shell gives it."""

def sh_test(**kwargs):
    native.sh_test(**kwargs)
