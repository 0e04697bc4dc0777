# SPDX-License-Identifier: LGPL-2.1-or-later
# What the scripts share; source it. Finds or builds the project and makes its
# elements known to gst-launch-1.0. BUILD names the build folder.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$ROOT/build}
AE_DATA=${AE_DATA:-$ROOT/../shared/data}
export LC_NUMERIC=C
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

# What the scripts of the lesson's systems begin with: their arguments are
# [FOLDER [EPOCHS [SEEDS [OUT]]]], by default Fashion-MNIST, EPOCHS, one seed
# and out/. Builds, and sets the variables of these names.
#   begin SYSTEM EPOCHS "$@"
begin() {
    local system=$1
    EPOCHS=${4:-$2}
    FOLDER=${3:-$FASHION}
    SEEDS=${5:-1}
    OUT=${6:-out}
    build
    make_temporary
    mkdir -p "$OUT"
    echo "$system on $FOLDER, $EPOCHS epochs, seeds 1 to $SEEDS"
}

# Trains on idx images with their labels; the log is MODEL.log.
#   train FOLDER EPOCHS SEED MODEL [PROPERTY=VALUE...]   (of aetrain)
train() {
    local folder=$1 epochs=$2 seed=$3 model=$4
    shift 4
    gst-launch-1.0 -m idxsrc epochs="$epochs" shuffle=true seed="$seed" \
        location="$folder/train-images-idx3-ubyte.gz" \
        labels-location="$folder/train-labels-idx1-ubyte.gz" ! \
        aetrain seed="$seed" model-file="$model" "$@" \
        >"$model.log" || die "Training failed: $(grep ERROR "$model.log")"
}

# Measures a model on the test images; the log is MODEL.test.
#   measure FOLDER SEED MODEL [PROPERTY=VALUE...]
measure() {
    local folder=$1 seed=$2 model=$3
    shift 3
    gst-launch-1.0 -m idxsrc location="$folder/t10k-images-idx3-ubyte.gz" \
        labels-location="$folder/t10k-labels-idx1-ubyte.gz" ! \
        aetrain seed=$((seed + 1000)) model-file="$model" "$@" \
        mode=evaluate >"$model.test" ||
        die "Measuring failed: $(grep ERROR "$model.test")"
}

# What measure() found: measured MODEL FIELD, such as loss, mse, psnr, kl.
measured() {
    message_field "$1.test" ae-evaluation "$2"
}

# The parts of the loss that measure() found, if it has several: parts MODEL
parts() {
    grep ae-evaluation "$1.test" |
        grep -oE '(reconstruction|kl|activity)=\(double\)[^,;]*' |
        awk -F '[=)]' '{ printf ", %s %.4f", $1, $3 }'
}

# Trains and measures with the seeds 1 .. SEEDS, OUT-1.onnx and so on; prints a
# line each and the mean of FIELD, which NAME says what it is.
#   train_seeds FOLDER EPOCHS SEEDS OUT FIELD NAME [PROPERTY=VALUE...]
train_seeds() {
    local folder=$1 epochs=$2 seeds=$3 out=$4 field=$5 name=$6 seed model
    shift 6
    : >"$TEMPORARY/values"
    for seed in $(seq "$seeds"); do
        model=$out-$seed.onnx
        train "$folder" "$epochs" "$seed" "$model" "$@"
        measure "$folder" "$seed" "$model" "$@"
        measured "$model" "$field" >>"$TEMPORARY/values"
        printf 'seed %d: test %s %.4f%s (%.0f images/s in training)\n' \
            "$seed" "$name" "$(measured "$model" "$field")" \
            "$(parts "$model")" \
            "$(message_field "$model.log" ae-training images-per-second)"
    done
    awk -v name="$name" '{ s += $1 }
        END { printf "mean of %d seeds: test %s %.4f\n", NR, name, s / NR }' \
        "$TEMPORARY/values"
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
    ae figure grid 2x10 "$TEMPORARY"/a?.png "$TEMPORARY"/b?.png \
        --row-captions input,output --zoom 3 -o "$picture"
    echo "picture: $picture"
}
