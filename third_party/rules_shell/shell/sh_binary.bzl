"""sh_binary under the label that the published rules_shell gives it."""

def sh_binary(**kwargs):
    native.sh_binary(**kwargs)
