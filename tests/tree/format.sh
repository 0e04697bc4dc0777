#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# No line of C is longer than 80 columns, comments included, which clang-format
# leaves as they are; and every C file is as clang-format 14 (of Debian 12)
# writes it, because other versions format a few constructs otherwise. Skipped,
# with 77, where it is missing.
#
#   tests/tree/format.sh [--fix]
#
# --fix: rewrites the files that deviate.
cd "$(dirname "$0")/../.." || exit 1

files() {
    find core plugins tests docs -name '*.[ch]' -print0
}

files | xargs -0 awk 'length > 80 { print FILENAME ":" FNR ": " length " columns"
    long = 1 } END { exit long }' || exit 1
for tool in clang-format-14 clang-format none; do
    "$tool" --version 2>/dev/null | grep -q 'version 14\.' && break
done
if [ "$tool" = none ]; then
    echo "skipped: there is no clang-format 14"
    exit 77
fi
action='--dry-run -Werror'
[ "$1" != --fix ] || action=-i
# shellcheck disable=SC2086
files | xargs -0 "$tool" $action
