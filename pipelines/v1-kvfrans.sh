#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# V1: kvfrans' convolutional variational autoencoder, code of 20, 122,136
# weights, Adam at 1e-3, batches of 100, binary cross-entropy; his had 55,000 of
# the 60,000 images and initial weights of sd 0.02.
#
#   pipelines/v1-kvfrans.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. He shows
# pictures only.
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin V1 10 "$@"
echo "published: pictures only"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/v1" loss -ELBO \
    task=vae architecture=kvfrans loss=bce batch-size=100
show_rows "$FOLDER" "$OUT/v1-1.onnx" "$OUT/v1.png"
