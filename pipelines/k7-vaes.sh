#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# K7: the three variational autoencoders that the Keras blog has had, code of 2.
#   a  the post of 2016: binary cross-entropy and divergence are both means (of
#      784 and of 2 values), RMSprop; sizes and epochs are not named: here 512
#      hidden units, batches of 128, and 25 epochs of EPOCHS=100
#   b  Keras' example: 256 units, code noise of sd 0.01, mean of the cross-entropy
#      and sum of the divergence, RMSprop, batches of 100, 50 epochs
#   c  the post of today: 64 units, code noise of sd 0.1, sums of both, one head
#      taken as log sd and as log variance, Adam, batches of 32, 100 epochs
# Ours sum the cross-entropy: beta = 784 / 2 in a, 784 in b.
#
#   pipelines/k7-vaes.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. EPOCHS:
# those of c, default 100; a has a quarter and b a half. The blog shows pictures
# only.
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin K7 100 "$@"
echo "published: pictures only"
echo "a, the post of 2016:"
train_seeds "$FOLDER" $(((EPOCHS + 3) / 4)) "$SEEDS" "$OUT/k7a" loss loss \
    task=vae loss=bce beta=392 optimizer=rmsprop
echo "b, the example:"
train_seeds "$FOLDER" $(((EPOCHS + 1) / 2)) "$SEEDS" "$OUT/k7b" loss loss \
    task=vae hidden-size=256 latent-noise=0.01 loss=bce beta=784 \
    optimizer=rmsprop batch-size=100
echo "c, the post of today:"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/k7c" loss loss \
    task=vae hidden-size=64 latent-noise=0.1 form=as-published loss=bce \
    batch-size=32
show_plane "$OUT/k7a-1.onnx" 15 2 "$OUT/k7a.png"
show_plane "$OUT/k7b-1.onnx" 15 0.15 "$OUT/k7b.png"
show_plane "$OUT/k7c-1.onnx" 15 15 "$OUT/k7c.png"
