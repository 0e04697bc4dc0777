#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every C file is as clang-format 14 (of Debian 12) writes it; other versions
# format a few constructs otherwise. Skipped, with 77, where it is missing.
#
#   tests/tree/format.sh [--fix]
#
# --fix: rewrites the files that deviate.
cd "$(dirname "$0")/../.." || exit 1

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
find core plugins tests docs -name '*.[ch]' -print0 | xargs -0 "$tool" $action
