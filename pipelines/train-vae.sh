#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Trains the built-in variational autoencoder (core/models/vae.md) and measures
# it on the test images.
#
#   pipelines/train-vae.sh [MODEL.onnx [FOLDER [EPOCHS]]]
#
# FOLDER holds the four MNIST-style idx files, of 60,000 images; default: MNIST
# in AE_DATA.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/idx.sh"

MODEL=${1:-vae.onnx}
FOLDER=${2:-$AE_DATA/mnist}
EPOCHS=${3:-30}
STEPS=$((EPOCHS * 469)) # batches that an epoch begins

build
train "$FOLDER" "$EPOCHS" 1 "$MODEL" task=vae architecture=conv-vae \
    latent-size=8 hidden-size=64 loss=bce schedule=cosine max-steps=$STEPS
measure "$FOLDER" 1 "$MODEL" task=vae loss=bce
echo "test: -ELBO $(measured "$MODEL" loss)," \
    "reconstruction $(measured "$MODEL" reconstruction)," \
    "KL $(measured "$MODEL" kl), MSE $(measured "$MODEL" mse)"
