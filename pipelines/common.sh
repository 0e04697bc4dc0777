# SPDX-License-Identifier: LGPL-2.1-or-later
# What the scripts share; source it. Finds or builds the project and makes its
# elements known to gst-launch-1.0. BUILD names the build folder.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$ROOT/build}
AE_DATA=${AE_DATA:-$ROOT/../shared/data}
FASHION=/usr/share/datasets/fashion-mnist

die() {
    echo "$*" >&2
    exit 1
}

build() {
    "$ROOT/pipelines/setup.sh"
    [ -f "$BUILD/build.ninja" ] || meson setup "$BUILD" "$ROOT" >&2 ||
        die "The build could not be set up."
    ninja -C "$BUILD" >&2 || die "The build failed."
    export GST_PLUGIN_PATH=$BUILD/plugins${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
    export PATH=$BUILD/core/tools:$PATH
}

# The value of FIELD in the last element message NAME that gst-launch-1.0 -m
# wrote to LOG: message_field LOG NAME FIELD
message_field() {
    grep "$2" "$1" | tail -n 1 |
        sed -E "s/.*[, ]$3=\(?[a-z0-9]*\)?([^,;]*)[,;].*/\1/"
}

# A folder that goes when the script ends.
make_temporary() {
    TEMPORARY=$(mktemp -d)
    trap 'rm -rf "$TEMPORARY"' EXIT
}

# Trains architecture=keras on idx images and measures the result on the test
# images; prints the test loss.
#   train_and_measure FOLDER EPOCHS SEED MODEL [PROPERTY=VALUE...]
# for aetrain, training and measuring alike.
train_and_measure() {
    local folder=$1 epochs=$2 seed=$3 model=$4 log=$4.log
    shift 4
    gst-launch-1.0 -m idxsrc epochs="$epochs" shuffle=true seed="$seed" \
        location="$folder/train-images-idx3-ubyte.gz" ! \
        aetrain architecture=keras batch-size=128 seed="$seed" \
        model-file="$model" "$@" >"$log" ||
        die "Training failed: $(grep ERROR "$log")"
    gst-launch-1.0 -m idxsrc location="$folder/t10k-images-idx3-ubyte.gz" ! \
        aetrain mode=evaluate batch-size=100 seed=$((seed + 1000)) \
        model-file="$model" "$@" >"$log.test" ||
        die "Measuring failed: $(grep ERROR "$log.test")"
    message_field "$log.test" ae-evaluation loss
}

# Trains and measures with the seeds 1 .. SEEDS; prints a line each and the mean.
#   train_seeds FOLDER EPOCHS SEEDS OUT [PROPERTY=VALUE...]
train_seeds() {
    local folder=$1 epochs=$2 seeds=$3 out=$4 seed loss
    shift 4
    for seed in $(seq "$seeds"); do
        loss=$(train_and_measure "$folder" "$epochs" "$seed" \
            "$out-$seed.onnx" "$@")
        echo "seed $seed: test BCE $loss" \
            "($(message_field "$out-$seed.onnx.log" ae-training \
                images-per-second | cut -d . -f 1) images/s in training)"
        echo "$loss" >>"$TEMPORARY/losses"
    done
    awk '{ s += $1 } END { printf "mean of %d seeds: test BCE %.4f\n", NR, s / NR }' \
        "$TEMPORARY/losses"
}

# A picture of the first ten test images (row 1), what PIPELINE makes of them
# (row 2): show_rows FOLDER MODEL PICTURE [NOISE]
show_rows() {
    local folder=$1 model=$2 picture=$3 noise=${4:-none}
    gst-launch-1.0 -q idxsrc num-buffers=10 \
        location="$folder/t10k-images-idx3-ubyte.gz" ! \
        aenoise noise="$noise" seed=7 ! tee name=t \
        t. ! queue ! pngenc ! multifilesink location="$TEMPORARY/a%d.png" \
        t. ! queue ! aedenoise model-file="$model" ! pngenc ! \
        multifilesink location="$TEMPORARY/b%d.png"
    ae figure grid "$picture" 2x10 "$TEMPORARY"/a?.png "$TEMPORARY"/b?.png \
        --zoom 3
    echo "picture: $picture"
}
