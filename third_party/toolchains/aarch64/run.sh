#!/bin/sh
# Runs a program of aarch64: run.sh PROGRAM ARGUMENTS...
#
# The emulator is linked statically: LD_PRELOAD is for the program alone. What
# the program starts has to be run in it too (HAKMEM_TEST_EMULATOR,
# tests/blackbox/support/preload_test_helper.h), since the kernel here need not know how.
QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
HAKMEM_TEST_EMULATOR=$(command -v qemu-aarch64-static) || {
  echo "no qemu-aarch64-static: apt-get install qemu-user-static" >&2
  exit 1
}

# What qemu-user does otherwise than Linux:
# a process that a signal ends has one more line on stderr
without=LogLineDeathTest.AbortsAfterTheLine
without=$without:BlocksDeathTest.SaysWhatABadAddressIs
without=$without:BackendDeathTest/*.ABadBlockIsToldApart
# RLIMIT_AS is kept from the program, so as not to end qemu
without=$without:OsMemoryDeathTest.NoticesALimitOnAddressSpace
without=$without:EventsRefused.*:RealMapFailureTest.TheSystemItselfCanBeLookedAt
without=$without:OperatorNewTest.SucceedsOnceTheHandlerHasGivenEnoughBack
# mincore of memory that may not be touched fails
without=$without:OsMemoryDeathTest.UncommittedMemoryFaultsAndComesBackAsZeros
# huge pages are not asked for
without=$without:ChunkSource.ADenseChunkHasHugePagesUntilItIsNoLongerDense
without=$without:ChunkSource.WhatAChunkWasLastTimeDoesNotMatter
# a fault that its handler sends again, as the signal that it was, ends qemu
without=$without:GuardReportTest.TellsOtherThreadsApart
without=$without:GuardSignalTest.OtherFaultsAreAsWithoutUs
without=$without:GuardSignalTest.ALaterHandlerMayPassOn
without=$without:GuardSignalTest.OnASmallStackTheFirstLineIsTold
without=$without:All/GuardMisuseTest.IsToldExactly/write_*
without=$without:All/GuardMisuseTest.IsToldExactly/read_*
without=$without:All/GuardMisuseTest.IsToldExactly/freed_elsewhere
# what is resident is qemu's, some 200 KiB a thread; and see docs/platforms.md
without=$without:ThreadsTest.FiveThousandShortLivesLeaveNothing
without=$without:ThreadsTest.WhatAnExitedThreadAllocatedIsReusedOnce*
GTEST_FILTER=${GTEST_FILTER:--$without}

export GTEST_FILTER QEMU_LD_PREFIX HAKMEM_TEST_EMULATOR
exec "$HAKMEM_TEST_EMULATOR" "$@"
