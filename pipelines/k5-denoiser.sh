#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# K5: the Keras blog's convolutional denoiser, 28,353 weights, whose code of 32 x
# 7 x 7 is no bottleneck; noise of mean 0 and sd 0.5, clipped, drawn afresh for
# every image; Adam at 1e-3, batches of 128, binary cross-entropy.
#
#   pipelines/k5-denoiser.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. The blog
# shows pictures only.
set -euo pipefail
. "$(dirname "$0")/common.sh"

NOISE=gaussian:sd=0.5
begin K5 100 "$@"
echo "published: pictures only"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/k5" loss BCE loss=bce \
    task=denoise architecture=keras-denoise noise="$NOISE"
show_denoised "$FOLDER" "$OUT/k5-1.onnx" "$OUT/k5.png" "$NOISE"
