#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A1: the study of dense autoencoders, 784-8-784, and what seven neighbours tell
# from 8 values, beside 8 principal components; Adam at 2e-3, batches of 256,
# binary cross-entropy.
#
#   pipelines/a1-embedding.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. Figures to
# compare with, 30 epochs: accuracy 0.8967 on MNIST, 0.7997 on Fashion-MNIST.
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin A1 30 "$@"
echo "published: accuracy 0.8967 on MNIST, 0.7997 on Fashion-MNIST"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/a1" loss BCE \
    architecture=shallow latent-size=8 loss=bce batch-size=256 learning-rate=2e-3
neighbours_seeds "$FOLDER" "$SEEDS" "$OUT/a1" 8
show_rows "$FOLDER" "$OUT/a1-1.onnx" "$OUT/a1.png"
