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

# Ten images that MODEL makes of random codes: show_random MODEL PREFIX
show_random() {
    gst-launch-1.0 -q vaesample model-file="$1" num-buffers=10 seed=1 ! \
        video/x-raw,format=GRAY8 ! pngenc ! \
        multifilesink location="$TEMPORARY/$2%d.png"
}

begin "The lesson's claims" 10 "$@"
need s6 architecture=conv-dense loss=bce
need s4-bce task=vae loss=bce
need s7 loss=bce

echo "codes of two values, autoencoder:"
codes s6
echo "codes of two values, variational autoencoder:"
codes s4-bce

for part in s7:a s4-bce:b; do
    show_random "$OUT/${part%:*}-1.onnx" "${part#*:}"
done
ae figure grid 2x10 "$TEMPORARY"/[ab]?.png --zoom 3 \
    --row-captions "plain,variational" -o "$OUT/claims-random.png"
echo "picture of random codes: $OUT/claims-random.png"

OTHER=$(foreign_to "$FOLDER")
echo "an autoencoder of $FOLDER on its own test images: $(errors s7 "$FOLDER")"
echo "the same on $OTHER: $(errors s7 "$OTHER")"

for loss in bce mse l1; do
    need "loss-$loss" architecture=shallow batch-size=256 loss=$loss
    echo "784-32-784 trained with loss=$loss: $(errors "loss-$loss" "$FOLDER")"
done

train "$FOLDER" 1 1 "$TEMPORARY/labels.onnx" architecture=shallow loss=bce
ln -s "$(idx_file "$FOLDER" train images)" "$TEMPORARY/"
train "$TEMPORARY" 1 1 "$TEMPORARY/none.onnx" architecture=shallow loss=bce
cmp "$TEMPORARY/labels.onnx" "$TEMPORARY/none.onnx" &&
    echo "trained with labels and without: the same bytes"
