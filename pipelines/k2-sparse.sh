#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# K2: K1 with a sparse code, 1e-4 times the sum of its values in the loss; Adam
# at 1e-3, batches of 256, binary cross-entropy.
#
#   pipelines/k2-sparse.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. Figures to
# compare with, MNIST, 100 epochs: loss 0.10; mean of the code 3.33, of K1's 7.30.
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin K2 100 "$@"
echo "published: loss 0.10 on MNIST, mean code 3.33 (K1: 7.30)"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/k2" loss loss \
    architecture=shallow loss=bce batch-size=256 activity-penalty=1e-4
train_seeds "$FOLDER" "$EPOCHS" 1 "$OUT/k2-dense" loss "BCE without penalty" \
    architecture=shallow loss=bce batch-size=256
for model in $(seq -f "k2-%g" "$SEEDS") k2-dense-1; do
    echo "$model: $(ae embed "$OUT/$model.onnx" \
        "$(idx_file "$FOLDER" t10k images)" -o "$TEMPORARY/codes.npy")"
done
show_rows "$FOLDER" "$OUT/k2-1.onnx" "$OUT/k2.png"
