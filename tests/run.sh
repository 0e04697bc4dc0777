#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds the project and runs all tests; installs what a bare Debian 12 lacks.
# Closes with one line: N passed, N failed.
#
#   tests/run.sh [SANITIZER]
#
# SANITIZER: address,undefined or thread: the suite under it, in a build folder
# of its own.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

sanitizer=${1:-none}
build=${BUILD:-build}
[ "$sanitizer" = none ] || build=build-${sanitizer/,/-}

pipelines/setup.sh clang-format-14 codespell locales || exit 1
if [ ! -f "$build/build.ninja" ]; then
    meson setup "$build" -Db_sanitize="$sanitizer" -Db_lundef=false || exit 1
fi
ninja -C "$build" || exit 1

export BUILD=$PWD/$build
export ASAN_OPTIONS=fast_unwind_on_malloc=0
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
patience=1
[ "$sanitizer" = none ] || patience=10
meson test -C "$build" --print-errorlogs --num-processes "$(nproc)" \
    --timeout-multiplier "$patience"
log=$build/meson-logs/testlog.json
count() { grep -c "\"result\": \"$1\"" "$log"; }
passed=$(($(count OK) + $(count EXPECTEDFAIL)))
failed=$(($(count FAIL) + $(count ERROR) + $(count TIMEOUT)))
skipped=$(count SKIP)
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
