#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# S1 and K4: the convolutional autoencoder of the lesson and the Keras blog,
# 4,385 weights, with TF's pools, Adam at 1e-3, batches of 128, binary
# cross-entropy.
#
#   pipelines/s1-autoencoder.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. OUT:
# where models and the picture go. Figures to compare with, test set:
#   MNIST, 25 epochs: 0.0953 (the lesson's TF notebook, last epoch)
#   MNIST, 50 epochs: 0.094 (the Keras blog)
#   Fashion-MNIST, 5 epochs: 0.2941 and 0.2912 (PyTorch, two seeds)
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin S1 5 "$@"
echo "published: BCE 0.0953 on MNIST, 25 epochs; 0.094, 50 epochs"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/s1" loss BCE loss=bce
show_rows "$FOLDER" "$OUT/s1-1.onnx" "$OUT/s1.png"
