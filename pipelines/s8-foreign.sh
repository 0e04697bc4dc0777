#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# S8, the lesson's exercise: a denoiser, S2's, on images of another kind than
# those that it was trained on.
#
#   pipelines/s8-foreign.sh [FOLDER [EPOCHS [SEEDS [OUT [OTHER [NOISE]]]]]]
#
# FOLDER holds the four MNIST-style idx files; default: MNIST in AE_DATA, else
# Fashion-MNIST. OTHER holds
# test images too; default: Fashion-MNIST, or rings if FOLDER is that. NOISE: as
# in s2-denoiser.sh. The lesson gives no figure.
set -euo pipefail
. "$(dirname "$0")/common.sh"

NOISE=${6:-gaussian:mean=0.5,sd=0.5}
begin "S8 with noise $NOISE" 25 "${1:-$(digits)}" "${@:2}"
OTHER=${5:-$(foreign_to "$FOLDER")}
echo "published: none"
train_seeds "$FOLDER" "$EPOCHS" "$SEEDS" "$OUT/s8" loss BCE loss=bce \
    task=denoise noise="$NOISE"
for set in "$FOLDER" "$OTHER"; do
    gst-launch-1.0 -m idxsrc location="$(idx_file "$set" t10k images)" ! \
        tee name=t t. ! queue ! aenoise noise="$NOISE" seed=1 ! c.sink \
        t. ! queue ! c.reference aecompare name=c messages=false ! \
        fakesink sync=false >"$TEMPORARY/compared"
    measure "$set" 1 "$OUT/s8-1.onnx" loss=bce task=denoise noise="$NOISE"
    printf '%s: BCE %.4f, PSNR %.2f dB; noisy %.2f dB\n' "$set" \
        "$(measured "$OUT/s8-1.onnx" loss)" \
        "$(measured "$OUT/s8-1.onnx" psnr)" \
        "$(message_field "$TEMPORARY/compared" ae-compare-total psnr)"
done
show_denoised "$FOLDER" "$OUT/s8-1.onnx" "$OUT/s8-own.png" "$NOISE"
show_denoised "$OTHER" "$OUT/s8-1.onnx" "$OUT/s8-foreign.png" "$NOISE"
