#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A2: a foreign image is found by its error, with a dense autoencoder,
# 784-64-784, Adam at 1e-3, batches of 256, binary cross-entropy.
#
#   pipelines/a2-anomaly.sh [FOLDER [EPOCHS [SEEDS [OUT [OTHER]]]]]
#
# FOLDER holds the four MNIST-style idx files; default: MNIST in AE_DATA, else
# Fashion-MNIST. OTHER holds
# test images, of which the first is the foreign one; default: Fashion-MNIST,
# whose first is a shoe, or rings if FOLDER is that. Figures to compare with,
# MNIST, 30 epochs: squared error 0.0574 of a shoe, rank 1, next 0.0253.
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin A2 30 "${1:-$(digits)}" "${@:2}"
OTHER=${5:-$(foreign_to "$FOLDER")}
echo "published: squared error 0.0574 of a shoe, rank 1; next 0.0253"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/a2" loss BCE \
    architecture=shallow latent-size=64 loss=bce batch-size=256
for seed in $(seq "$SEEDS"); do
    ae error "$OUT/a2-$seed.onnx" "$(idx_file "$FOLDER" t10k images)" \
        "$(idx_file "$OTHER" t10k images)"
done
show_rows "$OTHER" "$OUT/a2-1.onnx" "$OUT/a2.png"
