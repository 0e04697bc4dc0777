#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# K1: the Keras blog's simplest autoencoder, 784-32-784, 50,992 weights, Adam at
# 1e-3, batches of 256, binary cross-entropy.
#
#   pipelines/k1-shallow.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. Figure to
# compare with: MNIST 0.09 (Adam, 50 epochs).
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin K1 50 "$@"
echo "published: BCE 0.09 on MNIST"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/k1" loss BCE \
    architecture=shallow loss=bce batch-size=256
show_rows "$FOLDER" "$OUT/k1-1.onnx" "$OUT/k1.png"
