# SPDX-License-Identifier: LGPL-2.1-or-later
# What the comparisons share; source it. Every round measures all competitors,
# one after the other; what counts is the ratio of medians within one run.

. "$(dirname "${BASH_SOURCE[0]}")/../../pipelines/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"
. "$ROOT/pipelines/lib/idx.sh"

HERE=$ROOT/tests/bench
ENVIRONMENT=$BUILD/bench/peers
PHOTO=/usr/share/pixmaps/faces/bicycle.jpg

# The peers: PyTorch and OpenCV of Debian, ONNX Runtime of PyPI in an
# environment that sees Debian's too. NumPy 2 is newer than Debian's PyTorch.
fetch_peers() {
    "$ROOT/pipelines/setup.sh" python3-venv python3-torch python3-opencv
    [ ! -f "$ENVIRONMENT/ready" ] || return 0
    mkdir -p "$BUILD/bench"
    /usr/bin/python3 -m venv --clear --system-site-packages "$ENVIRONMENT"
    "$ENVIRONMENT/bin/pip" install --quiet \
        onnxruntime onnx safetensors 'numpy<2' >&2
    touch "$ENVIRONMENT/ready"
}

python() {
    "$ENVIRONMENT/bin/python" "$@"
}

# Processor time, in hundredths of a second, that everybody but this script and
# its finished commands has used.
others() {
    awk 'NR == FNR { own = $16 + $17; next }
        /^cpu / { print $2 + $3 + $4 + $7 + $8 - own }' /proc/$$/stat /proc/stat
}

# attempt COMMAND...: sets figure to what it prints; fails if meanwhile others
# used more than a tenth of a processor.
attempt() {
    local begun=${EPOCHREALTIME/./} before
    before=$(others)
    figure=$("$@") && [ -n "$figure" ] || die "Failed: $*"
    [ $(($(others) - before)) -le \
        $(((${EPOCHREALTIME/./} - begun) / 100000)) ]
}

# record NAME COMMAND...: adds the number that COMMAND prints to NAME's.
# Disturbed measurements are repeated, TRIES times; then a ? marks the number.
record() {
    local name=$1 tries=$TRIES figure mark=
    shift
    until attempt "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { mark=" ?" && break; }
        sleep 3
    done
    echo "$figure" >>"$TEMPORARY/$name"
    printf '  %s %.5g%s' "$name" "$figure" "$mark"
}

# The median of NAME's numbers.
median() {
    sort -g "$TEMPORARY/$1" |
        awk '{ v[NR] = $1 } END {
            m = int((NR + 1) / 2)
            print NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2 }'
}

# ratio A B: of the medians.
ratio() {
    awk "BEGIN { printf \"%.2f\", $(median "$1") / $(median "$2") }"
}

# summary UNIT OURS PEER...: medians, and ours over each peer's.
summary() {
    local unit=$1 ours=$2 peer
    shift 2
    printf '  median: %s %.4g %s\n' "$ours" "$(median "$ours")" "$unit"
    for peer in "$@"; do
        printf '  median: %s %.4g %s; %s / %s = %s\n' "$peer" \
            "$(median "$peer")" "$unit" "$ours" "$peer" \
            "$(ratio "$ours" "$peer")"
    done
}

# forget NAME...: their numbers.
forget() {
    local name
    for name in "$@"; do
        rm -f "$TEMPORARY/$name"
    done
}
