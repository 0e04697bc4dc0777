#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The claims of the lesson that no single system's script measures. Models that
# those scripts have left in OUT are used; what is missing is trained.
#
#   pipelines/claims.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. SEEDS is
# not used: every model has the seed 1.
set -euo pipefail
. "$(dirname "$0")/common.sh"

# Trains OUT/NAME-1.onnx if it is not there: need NAME [PROPERTY=VALUE...]
need() {
    local model=$OUT/$1-1.onnx
    shift
    [ -f "$model" ] || train "$FOLDER" "$EPOCHS" 1 "$model" "$@"
}

# What the codes of two values are like: codes NAME
codes() {
    local model=$OUT/$1-1.onnx
    ae embed "$model" "$(idx_file "$FOLDER" t10k images)" -o "$model.npy"
    echo "seven neighbours right in $(neighbours "$FOLDER" "$model")"
}

# The errors of OUT/NAME-1.onnx on the test images of SET: errors NAME SET
errors() {
    local model=$OUT/$1-1.onnx
    cp "$model" "$TEMPORARY/model.onnx"
    measure "$2" 1 "$TEMPORARY/model.onnx" loss=bce
    printf 'BCE %.4f' "$(measured "$TEMPORARY/model.onnx" loss)"
    measure "$2" 1 "$TEMPORARY/model.onnx" loss=l1
    printf ', absolute error %.4f, squared error %.5f\n' \
        "$(measured "$TEMPORARY/model.onnx" loss)" \
        "$(measured "$TEMPORARY/model.onnx" mse)"
}

# COUNT copies of the first test image as an idx file: copies COUNT FILE
copies() {
    local pixels=$TEMPORARY/pixels
    gst-launch-1.0 -q idxsrc num-buffers=1 \
        location="$(idx_file "$FOLDER" t10k images)" ! filesink location="$pixels"
    { idx_header "$1" 28 28 && for _ in $(seq "$1"); do cat "$pixels"; done; } \
        >"$2"
}

# The numbers that aeencode makes of an idx file, a line an image:
#   encoded MODEL FILE OUTPUT VALUES
encoded() {
    gst-launch-1.0 -q idxsrc location="$2" ! \
        aeencode model-file="$1" output="$3" seed=1 ! \
        filesink location="$TEMPORARY/codes"
    od -An -v -t f4 -w$((4 * $4)) "$TEMPORARY/codes"
}

# How far successive images of 28x28 bytes are apart, and those of the distance
# STEP, as mean squares: steps FILE STEP
steps() {
    od -An -v -t u1 -w784 "$1" | awk -v step="$2" '
        function distance(a, b,    i, d, s, x, y) {
            split(a, x)
            split(b, y)
            for (i = 1; i <= 784; i++) { d = (x[i] - y[i]) / 255; s += d * d }
            return s / 784
        }
        { image[NR] = $0 }
        NR > 1 { near += distance($0, image[NR - 1]) }
        NR > step { far += distance($0, image[NR - step]); n++ }
        END { printf "successive frames differ by %.5f, those %d apart by "\
            "%.5f\n", near / (NR - 1), step, far / n }'
}

# Of the COUNT images in an idx file, how many seven neighbours among the
# training images take for each class: classes FILE COUNT
classes() {
    local class
    for class in 0 1 2 3 4 5 6 7 8 9; do
        { idx_header "$2" && head -c "$2" /dev/zero |
            tr '\0' "\\$(printf %03o $class)"; } >"$TEMPORARY/class"
        ae knn "$(idx_file "$FOLDER" train images)" \
            "$(idx_file "$FOLDER" train labels)" "$1" "$TEMPORARY/class" |
            sed -E 's/.*\(([0-9]+) of.*/\1/'
    done | tr '\n' ' '
}

# The labels of the training images, each that of the next one, as an idx file.
rotated_labels() {
    local labels=$TEMPORARY/labels
    zcat -f "$(idx_file "$FOLDER" train labels)" >"$labels"
    head -c 8 "$labels"
    tail -c +10 "$labels"
    head -c 9 "$labels" | tail -c 1
}

begin "The lesson's claims" 10 "$@"
need s6 architecture=conv-dense loss=bce
need s4-bce task=vae loss=bce
need s7 loss=bce

echo "codes of two values, autoencoder:"
codes s6
echo "codes of two values, variational autoencoder:"
codes s4-bce

show_random "$OUT/claims-random.png" plain,variational "$OUT/s7-1.onnx" \
    "$OUT/s4-bce-1.onnx"

for name in s7 s4-bce; do
    gst-launch-1.0 -q vaesample model-file="$OUT/$name-1.onnx" seed=2 \
        num-buffers=1000 ! video/x-raw,format=GRAY8 ! \
        filesink location="$TEMPORARY/random"
    { idx_header 1000 28 28 && cat "$TEMPORARY/random"; } >"$TEMPORARY/decoded"
    echo "1000 random codes, decoded by $name, by class: $(classes \
        "$TEMPORARY/decoded" 1000)"
done

NOISE=gaussian:mean=0.5,sd=0.5
for size in 8 32 128 512; do
    need "denoise-$size" task=denoise noise=$NOISE architecture=shallow \
        latent-size=$size batch-size=256 loss=bce
    measure "$FOLDER" 1 "$OUT/denoise-$size-1.onnx" task=denoise noise=$NOISE \
        loss=bce
    printf 'a denoiser of %d values: BCE %.4f, PSNR %.2f\n' $size \
        "$(measured "$OUT/denoise-$size-1.onnx" loss)" \
        "$(measured "$OUT/denoise-$size-1.onnx" psnr)"
done

copies 1000 "$TEMPORARY/copies"
encoded "$OUT/s4-bce-1.onnx" "$TEMPORARY/copies" moments 4 |
    awk 'NR == 1 { printf "one image: the encoder says mean %.4f, %.4f, sd %.4f, %.4f\n",
        $1, $2, exp($3 / 2), exp($4 / 2) }'
encoded "$OUT/s4-bce-1.onnx" "$TEMPORARY/copies" sample 2 |
    awk '{ a += $1; b += $2; aa += $1 * $1; bb += $2 * $2 }
        END { a /= NR; b /= NR; printf "of %d samples: mean %.4f, %.4f, "\
            "sd %.4f, %.4f\n", NR, a, b, sqrt(aa / NR - a * a),
            sqrt(bb / NR - b * b) }'

gst-launch-1.0 -q vaesample model-file="$OUT/s4-bce-1.onnx" mode=walk seed=1 \
    frames-per-step=25 num-buffers=1000 ! video/x-raw,format=GRAY8 ! \
    filesink location="$TEMPORARY/walk"
echo "a walk of 40 random codes: $(steps "$TEMPORARY/walk" 25)"
{ idx_header 1000 28 28 && cat "$TEMPORARY/walk"; } >"$TEMPORARY/walked"
echo "its 1000 frames, by class: $(classes "$TEMPORARY/walked" 1000)"

OTHER=$(foreign_to "$FOLDER")
echo "an autoencoder of $FOLDER on its own test images: $(errors s7 "$FOLDER")"
echo "the same on $OTHER: $(errors s7 "$OTHER")"

for loss in bce mse l1; do
    need "loss-$loss" architecture=shallow batch-size=256 loss=$loss
    echo "784-32-784 trained with loss=$loss: $(errors "loss-$loss" "$FOLDER")"
done

train "$FOLDER" 1 1 "$TEMPORARY/labels.onnx" architecture=shallow loss=bce
mkdir "$TEMPORARY/set"
ln -s "$(idx_file "$FOLDER" train images)" "$TEMPORARY/set/"
train "$TEMPORARY/set" 1 1 "$TEMPORARY/none.onnx" architecture=shallow loss=bce
rotated_labels >"$TEMPORARY/set/train-labels-idx1-ubyte"
train "$TEMPORARY/set" 1 1 "$TEMPORARY/wrong.onnx" architecture=shallow loss=bce
cmp "$TEMPORARY/labels.onnx" "$TEMPORARY/none.onnx" &&
    cmp "$TEMPORARY/labels.onnx" "$TEMPORARY/wrong.onnx" &&
    echo "trained with labels, without, and with each other's: the same bytes"
