#!/bin/sh
# Runs a program of aarch64: run.sh PROGRAM ARGUMENTS...
#
# The emulator is linked statically: LD_PRELOAD is for the program alone. What
# the program starts has to be run in it too (HAKMEM_TEST_EMULATOR,
# frontend/preload_test_helper.h), since the kernel here need not know how.
QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
HAKMEM_TEST_EMULATOR=$(command -v qemu-aarch64-static) || {
  echo "no qemu-aarch64-static: apt-get install qemu-user-static" >&2
  exit 1
}
export QEMU_LD_PREFIX HAKMEM_TEST_EMULATOR
exec "$HAKMEM_TEST_EMULATOR" "$@"
