#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# S3: images made smaller by the mean of 2 x 2 pixels, and enlarged again;
# batches of 128, Adam at 1e-3. Twice: with the lesson's network, 3,801 weights
# and a code of 128 values, binary cross-entropy; and with superres-s, 5,380
# weights, which adds to the nearest pixels and has no code to squeeze through,
# squared error (on held-out training images better than absolute).
#
#   pipelines/s3-superres.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. Figures to
# compare with, MNIST: 0.0955 (TF, 25 epochs, the lesson's network); nearest
# pixels 17.86 dB, bilinear 18.35 dB.
set -euo pipefail
. "$(dirname "$0")/common.sh"

TASK=(task=superres scale=2 downscale=mean)
begin S3 25 "$@"
echo "published: BCE 0.0955 on MNIST, of the lesson's network"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/s3" loss BCE "${TASK[@]}" \
    loss=bce
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/s3-free" psnr PSNR \
    "${TASK[@]}" architecture=superres-s loss=mse
plain_ways "$FOLDER" 1 2 downscale=mean
show_enlarged "$FOLDER" 14 "$OUT/s3-1.onnx" "$OUT/s3.png"
show_enlarged "$FOLDER" 14 "$OUT/s3-free-1.onnx" "$OUT/s3-free.png"
