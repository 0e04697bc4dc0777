#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Speed beside peers, measured in turn in one run; see README.md.
#
#   tests/bench/run.sh [all | inference [FOLDER] | training | pipelines | kernels]
#   tests/bench/run.sh quality | cameras [SIGMA...]
#   tests/bench/run.sh colour | temporal [SIGMA]
#   tests/bench/run.sh nodes
#
# FOLDER: .onnx files to compare instead of the networks that the bars name.
# SIGMA: of the noise that is removed, in levels of 255; default 25.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$HERE/inference.sh"
. "$HERE/training.sh"
. "$HERE/pipelines.sh"
. "$HERE/kernels.sh"
. "$HERE/quality.sh"
. "$HERE/temporal.sh"

SECONDS_EACH=${SECONDS_EACH:-2} # a measurement takes
ROUNDS=${ROUNDS:-5}
THREADS=${THREADS:-2}
MODELS=${MODELS:-light medium strong} # denoisers
TRIES=${TRIES:-5}
TOLERANCE=${TOLERANCE:-1e-4}
PEERS=${PEERS:-onnxruntime pytorch opencv}
SIZES=${SIZES:-640x480 1280x720 1920x1080}

# The node cases of the package onnx: not speed, but what is right and what is
# refused.
bench_nodes() {
    fetch_peers
    python "$HERE/nodes.py" write "$TEMPORARY" 2>/dev/null
    "$BUILD/tests/core/onnx-conformance" "$TEMPORARY" node \
        >"$TEMPORARY/results" || true
    python "$HERE/nodes.py" count <"$TEMPORARY/results"
}

build
make_temporary
echo "$THREADS threads, $ROUNDS rounds of $SECONDS_EACH s"
case ${1:-all} in
all)
    bench_kernels
    bench_inference ""
    bench_pipelines
    bench_training
    ;;
inference) bench_inference "${2:-}" ;;
training) bench_training ;;
pipelines) bench_pipelines ;;
kernels) bench_kernels ;;
quality) bench_quality "${@:2}" ;;
cameras) bench_cameras "${@:2}" ;;
colour) bench_colour "${2:-}" ;;
temporal) bench_temporal "${2:-}" ;;
nodes) bench_nodes ;;
*) die "usage: run.sh [all | inference [FOLDER] | training | pipelines | kernels |"\
    "quality [SIGMA...] | cameras [SIGMA...] | colour [SIGMA] | temporal [SIGMA] |"\
    "nodes]" ;;
esac
