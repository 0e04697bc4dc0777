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
ae embed "$OUT/s7-1.onnx" "$images" -o "$OUT/s7.npy"
ten_pictures "$images" "$TEMPORARY/image"
rows=("$TEMPORARY"/image?.png)
for sd in 0 0.25 0.5 1 2 4; do
    decoded=$TEMPORARY/$sd.idx
    ae decode "$OUT/s7-1.onnx" "$OUT/s7.npy" -o "$decoded" \
        --noise "gaussian:sd=$sd,clip=false"
    printf 'noise of sd %s: PSNR %.2f dB, %s\n' "$sd" \
        "$(psnr_of "$decoded" "$images")" \
        "$(ae knn "$(idx_file "$FOLDER" train images)" \
            "$(idx_file "$FOLDER" train labels)" "$decoded" "$labels")"
    ten_pictures "$decoded" "$TEMPORARY/noise$sd-"
    rows+=("$TEMPORARY/noise$sd-"?.png)
done
ae figure grid 7x10 "${rows[@]}" --zoom 3 \
    --row-captions "image,0,0.25,0.5,1,2,4" -o "$OUT/s7.png"
echo "picture: $OUT/s7.png"
