#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# K3: the Keras blog's deep dense autoencoder, 784-128-64-32-64-128-784, 222,384
# weights, Adam at 1e-3, batches of 256, binary cross-entropy.
#
#   pipelines/k3-deep.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. Figure to
# compare with: MNIST 0.08 (Adam, 100 epochs).
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin K3 100 "$@"
echo "published: BCE 0.08 on MNIST"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/k3" loss BCE \
    architecture=deep loss=bce batch-size=256
show_rows "$FOLDER" "$OUT/k3-1.onnx" "$OUT/k3.png"
