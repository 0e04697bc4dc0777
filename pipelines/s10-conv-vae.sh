#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# S10, the lesson's homework: a convolutional variational autoencoder with a code
# of 2, 413,189 weights, half of S4's; log variance, binary cross-entropy, Adam
# at 1e-3, batches of 128.
#
#   pipelines/s10-conv-vae.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. Compare
# with the part bce of pipelines/s4-vae.sh; the lesson gives no figure.
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin S10 25 "$@"
echo "published: none; the dense one is pipelines/s4-vae.sh"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/s10" loss -ELBO \
    task=vae architecture=conv-vae loss=bce
show_rows "$FOLDER" "$OUT/s10-1.onnx" "$OUT/s10.png"
show_codes "$FOLDER" "$OUT/s10-codes.png" S10 "$OUT/s10-1.onnx"
show_plane "$OUT/s10-1.onnx" 10 1 "$OUT/s10-plane.png"
