#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# K6: the Keras blog's sequence-to-sequence autoencoder. An LSTM reads the 28
# rows of the image, its last state of 64 values is the code, a second LSTM
# writes the rows; 127,004 weights. Binary cross-entropy, Adam at 4e-3 falling
# along half a cosine, batches of 128.
#
#   pipelines/k6-sequence.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. The blog
# gives the layers ("not demonstrated") and no figure.
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin K6 10 "$@"
echo "published: none"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/k6" loss BCE \
    architecture=lstm loss=bce batch-size=128 learning-rate=0.004 \
    schedule=cosine max-steps=$((EPOCHS * 60000 / 128))
show_rows "$FOLDER" "$OUT/k6-1.onnx" "$OUT/k6.png"
