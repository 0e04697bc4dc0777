# SPDX-License-Identifier: LGPL-2.1-or-later
# What the comparisons share; source it. Every round measures all competitors,
# one after the other; what counts is the ratio of medians within one run.

. "$(dirname "${BASH_SOURCE[0]}")/../../pipelines/common.sh"

# record NAME COMMAND...: adds the number that COMMAND prints to NAME's.
record() {
    local name=$1 figure
    shift
    figure=$("$@") || die "$name: failed: $*"
    [ -n "$figure" ] || die "$name: no figure from: $*"
    echo "$figure" >>"$TEMPORARY/$name"
    printf '  %s %s' "$name" "$figure"
}

# The median of NAME's numbers.
median() {
    sort -g "$TEMPORARY/$1" |
        awk '{ v[NR] = $1 } END {
            m = int((NR + 1) / 2)
            print NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2 }'
}

# summary UNIT OURS PEER...: medians, and ours over each peer's.
summary() {
    local unit=$1 ours=$2 peer
    shift 2
    printf '  median: %s %.4g %s\n' "$ours" "$(median "$ours")" "$unit"
    for peer in "$@"; do
        printf '  median: %s %.4g %s; %s / %s = %.2f\n' "$peer" \
            "$(median "$peer")" "$unit" "$ours" "$peer" \
            "$(awk "BEGIN { print $(median "$ours") / $(median "$peer") }")"
    done
    for peer in "$ours" "$@"; do
        rm "$TEMPORARY/$peer"
    done
}
