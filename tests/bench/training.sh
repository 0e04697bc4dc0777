#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Training beside Debian's PyTorch: images (patches) a second on THREADS
# threads, the same network, images, batches, loss and optimizer.
#
#   tests/bench/training.sh [SECONDS [ROUNDS]]
#
# SECONDS each measurement takes (default: 10), in ROUNDS rounds (4).
#
# S1: aetrain's architecture keras, batches of 128. default: PyTorch as it
# stands; channels-last: its faster layout. U-Net: unet-s, 64 x 64 patches,
# batches of 16. one-blas: PyTorch with one thread in OpenBLAS, which it calls
# for some gradients. Ours is timed as a whole pipeline, with reading, cutting,
# mixing in noise; PyTorch's images lie in memory, scaled and noisy.
set -euo pipefail
. "$(dirname "$0")/common.sh"

SECONDS_EACH=${1:-10}
ROUNDS=${2:-4}
THREADS=${THREADS:-2}
HERE=$ROOT/tests/bench
IMAGES=$FASHION/train-images-idx3-ubyte.gz
FACES=/usr/share/pixmaps/faces
STEPS=400 # of the comparison of losses

# pytorch ARGUMENT...: Debian's Python, which has Debian's PyTorch.
pytorch() {
    OMP_NUM_THREADS=$THREADS /usr/bin/python3 "$HERE/training.py" \
        --threads "$THREADS" "$@"
}

# The same on one thread, for losses: on a busy machine several wait long.
pytorch_loss() {
    THREADS=1 OPENBLAS_NUM_THREADS=1 pytorch "$@" --steps $STEPS
}

# FIELD of the last report of PIPELINE... ! aetrain: ours FIELD PIPELINE...
ours() {
    local field=$1
    shift
    timeout -s INT "${LIMIT:-$SECONDS_EACH}" gst-launch-1.0 -m "$@" \
        threads="$THREADS" >"$TEMPORARY/log" 2>&1 ||
        [ $? -eq 124 ] || die "$(grep ERROR "$TEMPORARY/log")"
    message_field "$TEMPORARY/log" ae-training "$field"
}

s1() {
    local field=$1
    shift
    ours "$field" idxsrc location="$IMAGES" epochs=0 ! \
        aetrain architecture=keras loss=bce batch-size=128 "$@"
}

unet() {
    local field=$1
    shift
    ours "$field" multifilesrc location="$TEMPORARY/%02d.png" loop=true \
        caps=image/png,framerate=1/1 ! pngdec ! \
        aetrain task=denoise architecture=unet-s noise=gaussian:sd=0.1 \
        batch-size=16 patch-size=64 patches-per-frame=64 shuffle-buffer=1024 \
        "$@"
}

# The photographs as gray PNG, 256 x 256, and once more as one raw file.
make_pictures() {
    local photo i=0
    for photo in "$FACES"/*.jpg; do
        gst-launch-1.0 -q filesrc location="$photo" ! jpegdec ! \
            videoconvert ! videoscale ! \
            video/x-raw,format=GRAY8,width=256,height=256 ! tee name=t \
            t. ! queue ! filesink location="$TEMPORARY/raw" \
            t. ! queue ! pngenc ! \
            filesink location="$TEMPORARY/$(printf %02d.png $i)"
        cat "$TEMPORARY/raw" >>"$TEMPORARY/pictures"
        i=$((i + 1))
    done
}

# check_losses OURS PYTORCH TOLERANCE: both have learnt the same.
check_losses() {
    printf '  loss after %d steps: ours %.5f, PyTorch %.5f\n' "$STEPS" "$1" "$2"
    awk "BEGIN { exit !(($1 - $2) ^ 2 <= ($3 * $2) ^ 2) }" ||
        die "The losses differ by more than $3: one does not learn."
}

"$ROOT/pipelines/setup.sh" python3-torch
build
make_temporary
make_pictures
echo "$(/usr/bin/python3 -c 'import torch; print("PyTorch", torch.__version__)'),\
 $THREADS threads, $ROUNDS rounds of $SECONDS_EACH s, images a second"

# The images come in order, so that the last batches are the same.
echo "S1, batches of 128"
check_losses "$(LIMIT=600 s1 loss max-steps=$STEPS)" \
    "$(pytorch_loss s1 "$IMAGES")" 0.1
for _ in $(seq "$ROUNDS"); do
    record ours s1 images-per-second
    record default pytorch s1 "$IMAGES" --seconds "$SECONDS_EACH"
    record channels-last pytorch s1 "$IMAGES" --seconds "$SECONDS_EACH" \
        --channels-last
    echo
done
summary images/s ours default channels-last

# Patches and noise are drawn, and one batch tells little: a wide tolerance.
echo "unet-s, 64 x 64 patches, batches of 16"
check_losses "$(LIMIT=600 unet loss max-steps=$STEPS)" \
    "$(pytorch_loss unet "$TEMPORARY/pictures")" 0.5
for _ in $(seq "$ROUNDS"); do
    record ours unet images-per-second
    record default pytorch unet "$TEMPORARY/pictures" \
        --seconds "$SECONDS_EACH"
    OPENBLAS_NUM_THREADS=1 record one-blas pytorch unet \
        "$TEMPORARY/pictures" --seconds "$SECONDS_EACH"
    echo
done
summary patches/s ours default one-blas
