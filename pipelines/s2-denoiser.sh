#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# S2: the network of S1 as a denoiser, from scratch, with noise drawn afresh for
# every image and the clean image as target.
#
#   pipelines/s2-denoiser.sh [FOLDER [EPOCHS [SEEDS [OUT [NOISE]]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. NOISE:
# default that of the lesson's TF notebook, which also brightens: mean 0.5, sd
# 0.5, clipped. Figure to compare with: MNIST 0.1398 (TF; continued from S1, one
# fixed noise per image). The test images get fresh noise too.
set -euo pipefail
. "$(dirname "$0")/common.sh"

NOISE=${5:-gaussian:mean=0.5,sd=0.5}
begin "S2 with noise $NOISE" 5 "$@"
echo "published: BCE 0.1398 on MNIST, 25 epochs after those of S1"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/s2" loss BCE loss=bce \
    task=denoise noise="$NOISE"
show_denoised "$FOLDER" "$OUT/s2-1.onnx" "$OUT/s2.png" "$NOISE"
