#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2046 # lists of files are words
# Prints figures of the source tree: sizes, layers, homes of concepts.
#
#   tests/tree/figures.sh
cd "$(dirname "$0")/../.." || exit 1

# The number of lines of the tracked files that match PATTERN...
lines() {
    git ls-files "$@" | grep -v '^core/models/' | xargs cat | wc -l
}

# Pairs "FOLDER INCLUDED-FOLDER" of core/, one a line.
arrows() {
    grep -rnoE --include='*.[ch]' '#include "[a-z]+/' core |
        sed -E 's|core/([a-z]+)/.*"([a-z]+)/|\1 \2|' |
        awk 'NF == 2 && $1 != $2' | sort -u
}

# The number of files of core/ and plugins/ with a line that matches PATTERN.
files_with() {
    grep -rE --include='*.[ch]' "$1" core plugins | grep -v '#include' |
        cut -d : -f 1 | sort -u | wc -l
}

echo "entries directly in core/: $(git ls-files core | cut -d / -f 2 | sort -u | wc -l)"
echo "cycles between the folders of core/: $(arrows | tsort 2>&1 >/dev/null | grep -c loop)"
echo "lines of core/, plugins/ and pipelines/: $(lines core plugins pipelines)"
echo "lines of plugins/: $(lines plugins)"
echo "lines of pipelines/: $(lines pipelines)"
echo "headers behind core/ae.h: $(grep -c '^#include' core/ae.h)"
echo "files that spell a metadata key: $(files_with '"ae\.[a-z-]+"')"
echo "files that take the samples of a frame: $(files_with 'VIDEO_FRAME_(COMP|PLANE)_DATA')"
echo "lines of the pages over 120 columns: $(git ls-files '*.md' | xargs awk 'length > 120' | wc -l)"
