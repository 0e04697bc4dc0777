#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# core/ae.h, checked: it includes at most 14 headers, and each function that
# one of these declares is called by a client, a file of plugins/ or core/tools/.
cd "$(dirname "$0")/../.." || exit 1

headers=$(sed -n 's/^#include "\(.*\)"$/core\/\1/p' core/ae.h)
count=$(echo "$headers" | wc -l)

# The code without comments, one statement a line.
code() {
    cat "$@" | tr '\n' ' ' | sed 's|/\*|\n/*|g; s|\*/|*/\n|g' |
        grep -v '^/\*' | tr '\n;' ' \n'
}

# A macro calls the quark of an error domain.
# shellcheck disable=SC2086
declared=$(code $headers | grep -oE '\<ae_[a-z0-9_]+ *\(' | tr -d ' (' |
    grep -v '_quark$' | sort -u)
# What frees a type is called where a variable is g_autoptr(TYPE).
# shellcheck disable=SC2086
used=$( (
    code plugins/*.[ch] core/tools/*.[ch] | grep -oE '\<ae_[a-z0-9_]+'
    code $headers |
        sed -n 's/.*AUTOPTR_CLEANUP_FUNC(\([A-Za-z]*\), *\([a-z_]*\)).*/\1 \2/p' |
        while read -r type free; do
            grep -qr "g_autoptr($type)" plugins core/tools && echo "$free"
        done
) | sort -u)

failed=0
[ "$count" -le 14 ] || {
    echo "public: core/ae.h includes $count headers, more than 14" >&2
    failed=1
}
for name in $declared; do
    case "
$used
" in
    *"
$name
"*) ;;
    *)
        echo "public: no client calls $name()" >&2
        failed=1
        ;;
    esac
done
exit $failed
