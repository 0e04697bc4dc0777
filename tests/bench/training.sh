# SPDX-License-Identifier: LGPL-2.1-or-later
# Training beside PyTorch: images (patches) a second on THREADS threads, the
# same network, images, batches, loss and optimizer; sourced by run.sh.
#
# S1: aetrain's architecture keras, batches of 128; dense: the same of dense
# layers. default: PyTorch as it
# stands; channels-last: its faster layout. U-Net: unet-s, 64 x 64 patches,
# batches of 16. one-blas: PyTorch with one thread in OpenBLAS, which it calls
# for some gradients. Ours is timed as a whole pipeline, with reading, cutting,
# mixing in noise; PyTorch's images lie in memory, scaled and noisy.

TRAINING_SECONDS=10 # a measurement takes
IMAGES=$FASHION/train-images-idx3-ubyte.gz
FACES=/usr/share/pixmaps/faces
STEPS=400 # of the comparison of losses

# pytorch ARGUMENT...
pytorch() {
    OMP_NUM_THREADS=$THREADS python "$HERE/training.py" \
        --threads "$THREADS" "$@"
}

# The same on one thread, for losses: on a busy machine several wait long.
pytorch_loss() {
    THREADS=1 OPENBLAS_NUM_THREADS=1 pytorch "$@" --steps $STEPS
}

# FIELD of the last report of PIPELINE... ! aetrain: train_for FIELD PIPELINE...
train_for() {
    local field=$1
    shift
    timeout -s INT "${LIMIT:-$TRAINING_SECONDS}" gst-launch-1.0 -m "$@" \
        threads="$THREADS" >"$TEMPORARY/log" 2>&1 ||
        [ $? -eq 124 ] || die "$(grep ERROR "$TEMPORARY/log")"
    message_field "$TEMPORARY/log" ae-training "$field"
}

# train_digits ARCHITECTURE FIELD PROPERTY...
train_digits() {
    local architecture=$1 field=$2
    shift 2
    train_for "$field" idxsrc location="$IMAGES" epochs=0 ! \
        aetrain architecture="$architecture" loss=bce batch-size=128 "$@"
}

unet() {
    local field=$1
    shift
    train_for "$field" multifilesrc location="$TEMPORARY/%02d.png" loop=true \
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

# The images come in order, so that the last batches are the same.
train_s1() {
    echo "S1, batches of 128"
    check_losses "$(LIMIT=600 train_digits keras loss max-steps=$STEPS)" \
        "$(pytorch_loss s1 "$IMAGES")" 0.1
    for _ in $(seq "$ROUNDS"); do
        record ours train_digits keras images-per-second
        record default pytorch s1 "$IMAGES" --seconds "$TRAINING_SECONDS"
        record channels-last pytorch s1 "$IMAGES" \
            --seconds "$TRAINING_SECONDS" --channels-last
        echo
    done
    summary images/s ours default channels-last
    forget ours default channels-last
}

train_dense() {
    echo "dense, batches of 128"
    check_losses "$(LIMIT=600 train_digits dense loss max-steps=$STEPS)" \
        "$(pytorch_loss dense "$IMAGES")" 0.1
    for _ in $(seq "$ROUNDS"); do
        record ours train_digits dense images-per-second
        record default pytorch dense "$IMAGES" --seconds "$TRAINING_SECONDS"
        OPENBLAS_NUM_THREADS=1 record one-blas pytorch dense "$IMAGES" \
            --seconds "$TRAINING_SECONDS"
        echo
    done
    summary images/s ours default one-blas
    forget ours default one-blas
}

# Patches and noise are drawn, and one batch tells little: a wide tolerance.
train_unet() {
    echo "unet-s, 64 x 64 patches, batches of 16"
    check_losses "$(LIMIT=600 unet loss max-steps=$STEPS)" \
        "$(pytorch_loss unet "$TEMPORARY/pictures")" 0.5
    for _ in $(seq "$ROUNDS"); do
        record ours unet images-per-second
        record default pytorch unet "$TEMPORARY/pictures" \
            --seconds "$TRAINING_SECONDS"
        OPENBLAS_NUM_THREADS=1 record one-blas pytorch unet \
            "$TEMPORARY/pictures" --seconds "$TRAINING_SECONDS"
        echo
    done
    summary patches/s ours default one-blas
    forget ours default one-blas
}

bench_training() {
    fetch_peers
    make_pictures
    train_s1
    train_dense
    train_unet
}
