#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Inference beside ONNX Runtime: frames a second of the same files on THREADS
# threads, and what part of the measured fused multiply-add peak ours reaches.
#
#   tests/bench/inference.sh [FOLDER [SECONDS [ROUNDS]]]
#
# FOLDER holds .onnx files; default: the project's architectures with fresh
# weights. SECONDS each measurement takes (default: 5), in ROUNDS rounds (4).
# ONNX Runtime comes from PyPI into an environment of its own in the build
# folder. First both must give the same on random input.
set -euo pipefail
. "$(dirname "$0")/common.sh"

FOLDER=${1:-}
SECONDS_EACH=${2:-5}
ROUNDS=${3:-4}
THREADS=${THREADS:-2}
SIZES=${SIZES:-640x480 1280x720 1920x1080}
HERE=$ROOT/tests/bench
ENVIRONMENT=$BUILD/bench/onnxruntime
TOLERANCE=1e-4

make_environment() {
    [ ! -x "$ENVIRONMENT/bin/pip" ] || return 0
    mkdir -p "$BUILD/bench"
    python3 -m venv "$ENVIRONMENT"
    "$ENVIRONMENT/bin/pip" install --quiet onnxruntime safetensors >&2
}

peer() {
    "$ENVIRONMENT/bin/python" "$HERE/inference.py" --threads "$THREADS" "$@"
}

# Prints frames a second; leaves the percentage of the peak in a file.
ours() {
    local line
    line=$(ae bench "$1" --size "$2" --threads "$THREADS" \
        --seconds "$SECONDS_EACH")
    awk '{ print $9 }' <<<"$line" >"$TEMPORARY/percentage"
    awk '{ print $1 }' <<<"$line"
}

# Both on the same random numbers.
compare() {
    peer "$1" --size "$2" --save "$TEMPORARY/in" "$TEMPORARY/expected"
    ae run "$1" "$TEMPORARY/in" "$TEMPORARY/found"
    peer "$1" --compare "$TEMPORARY/expected" "$TEMPORARY/found" \
        --tolerance "$TOLERANCE" || die "$1: the outputs differ."
}

# MODEL SIZE
measure() {
    echo "$(basename "$1" .onnx), $2: $(compare "$1" "$2")"
    for _ in $(seq "$ROUNDS"); do
        record ours ours "$1" "$2"
        cat "$TEMPORARY/percentage" >>"$TEMPORARY/share"
        record onnxruntime peer "$1" --size "$2" --seconds "$SECONDS_EACH"
        echo
    done
    summary frames/s ours onnxruntime
    echo "  median: ours $(median share) % of the peak"
    rm "$TEMPORARY/share"
}

# The sizes to measure MODEL at: one where it leaves none open.
sizes_of() {
    if ae info "$1" --size 64x64 | grep -q '^input.*x?x?$'; then
        echo "$SIZES"
    else
        echo fixed
    fi
}

"$ROOT/pipelines/setup.sh" python3-venv
build
make_environment
make_temporary
if [ -z "$FOLDER" ]; then
    FOLDER=$TEMPORARY
    for name in unet-s unet-xs keras; do
        ae new "$name" -o "$FOLDER/$name.onnx"
    done
fi
echo "ONNX Runtime $(peer --version), $THREADS threads," \
    "$ROUNDS rounds of $SECONDS_EACH s, frames a second"
for model in "$FOLDER"/*.onnx; do
    for size in $(sizes_of "$model"); do
        measure "$model" "${size/fixed/28x28}"
    done
done
