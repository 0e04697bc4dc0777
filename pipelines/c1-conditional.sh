#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# C1: a conditional variational autoencoder, whose encoder and decoder also see
# the label; the source gives no sizes: 784-512-3-512-784, Adam at 1e-3, batches
# of 128, binary cross-entropy. The larger the code, the more of it random codes
# miss: of 8 values 0.917 of the samples are the digit asked for, of 4 0.944, of
# 3 0.988.
#
#   pipelines/c1-conditional.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. The source
# shows a picture only. Ours: of 1,000 samples of each label, which share seven
# neighbours among the training images take for what was asked for.
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin C1 30 "$@"
echo "published: picture only"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/c1" loss -ELBO \
    task=vae conditional=true latent-size=3 loss=bce
for seed in $(seq "$SEEDS"); do
    for label in 0 1 2 3 4 5 6 7 8 9; do
        gst-launch-1.0 -q vaesample model-file="$OUT/c1-$seed.onnx" \
            label=$label seed=$label num-buffers=1000 ! \
            video/x-raw,format=GRAY8 ! filesink location="$TEMPORARY/raw$label"
        head -c 1000 /dev/zero | tr '\0' "\\$(printf %03o $label)" \
            >"$TEMPORARY/asked$label"
    done
    { idx_header 10000 28 28 && cat "$TEMPORARY"/raw?; } >"$TEMPORARY/images"
    { idx_header 10000 && cat "$TEMPORARY"/asked?; } >"$TEMPORARY/labels"
    echo "seed $seed: samples: $(ae knn "$(idx_file "$FOLDER" train images)" \
        "$(idx_file "$FOLDER" train labels)" "$TEMPORARY/images" \
        "$TEMPORARY/labels")"
done
ae figure labels "$OUT/c1-1.onnx" -o "$OUT/c1.png"
echo "picture: $OUT/c1.png"
