#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# S6, the lesson's first task: a convolutional autoencoder with a dense code of
# two values, 412,931 weights, beside two principal components; Adam at 1e-3,
# batches of 128, binary cross-entropy.
#
#   pipelines/s6-embedding.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. The lesson
# gives no figure; seven neighbours' labels on two components of MNIST: 0.43.
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin S6 25 "$@"
echo "published: none; 7 neighbours on 2 principal components of MNIST: 0.43"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/s6" loss BCE \
    architecture=conv-dense loss=bce
neighbours_seeds "$FOLDER" "$SEEDS" "$OUT/s6" 2
show_codes "$FOLDER" "$OUT/s6.png" "autoencoder,principal components" \
    "$OUT/s6-1.onnx" "$OUT/s6-pca.onnx"
