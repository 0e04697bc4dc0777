#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# S7, the lesson's second task: images are encoded with S1's network, noise is
# added to the codes, and they are decoded: what becomes of the images. Codes are
# 128 values from 0 to about 6.
#
#   pipelines/s7-latent-noise.sh [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER holds the four MNIST-style idx files; default: Fashion-MNIST. The lesson
# gives no figure. Ours: the PSNR to the original image, and which share of the
# decoded images seven neighbours among the training images still take for what
# they were.
set -euo pipefail
. "$(dirname "$0")/common.sh"

begin S7 25 "$@"
echo "published: none"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/s7" loss BCE loss=bce
images=$(idx_file "$FOLDER" t10k images)
labels=$(idx_file "$FOLDER" t10k labels)
SDS=(0 0.25 0.5 1 2 4)
show_noisy_codes "$images" "$OUT/s7-1.onnx" "$OUT/s7.png" "${SDS[@]}"
for sd in "${SDS[@]}"; do
    printf 'noise of sd %s: PSNR %.2f dB, %s\n' "$sd" \
        "$(psnr_of "$TEMPORARY/$sd.idx" "$images")" \
        "$(ae knn "$(idx_file "$FOLDER" train images)" \
            "$(idx_file "$FOLDER" train labels)" "$TEMPORARY/$sd.idx" \
            "$labels")"
done
