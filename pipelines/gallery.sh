#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Draws the pictures of docs/user/gallery.md that need trained models, from the
# models that lesson.sh has left in MODELS; a picture whose model is missing is
# left out. No image of a data set is shown: digits are drawn by the built-in
# variational autoencoder, other images are test patterns. Dots are codes of the
# test images of MNIST if AE_DATA has it, otherwise of Fashion-MNIST.
#
#   pipelines/gallery.sh [MODELS [OUT]]
#
# Default: out and MODELS/gallery.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/idx.sh"
. "$ROOT/pipelines/lib/pictures.sh"

MODELS=${1:-out}
OUT=${2:-$MODELS/gallery}
SEEDS=(292 208 114 41 67 299 117 147 276 332) # of a 0, a 1, ..., a 9
PATTERNS=(smpte smpte100 spokes circular checkers-4 checkers-8 gradient pinwheel
    colors gamut)

# The first frame of ten sources as the test images of FOLDER; through a pipe,
# for fdsink would seek in a file: draw_set FOLDER FORMAT SIDE SOURCE...
draw_set() {
    local source dimensions=(10 "$3" "$3")
    [ "$2" = GRAY8 ] || dimensions+=(3)
    mkdir "$1"
    {
        idx_header "${dimensions[@]}"
        for source in "${@:4}"; do
            # shellcheck disable=SC2086
            gst-launch-1.0 -q $source num-buffers=1 ! \
                "video/x-raw,format=$2,width=$3,height=$3" ! fdsink
        done
    } | cat >"$1/t10k-images-idx${#dimensions[@]}-ubyte"
}

# Sets FOUND to those of the models that are there: find_models MODEL...
find_models() {
    local model
    FOUND=()
    for model; do
        [ ! -f "$MODELS/$model-1.onnx" ] || FOUND+=("$model")
    done
    [ ${#FOUND[@]} -gt 0 ]
}

# The digits, and what models make of them: draw_rebuilt MODEL:SIZE-OF-CODE...
draw_rebuilt() {
    local part
    ten_images ""
    add_row input "${TEN[@]}"
    for part; do
        find_models "${part%:*}" || continue
        ten_images "${FOUND[0]}"
        add_row "${FOUND[0]} (${part#*:})" "${TEN[@]}" ! "${DENOISE[@]}"
    done
    draw_rows rebuilt
}

build
make_temporary
mkdir -p "$OUT"
DIGITS=$TEMPORARY/digits OTHER=$TEMPORARY/gray COLOUR=$TEMPORARY/colour
LABELLED=$(digits)
draw_set "$DIGITS" GRAY8 28 "${SEEDS[@]/#/vaesample seed=}"
draw_set "$OTHER" GRAY8 28 "${PATTERNS[@]/#/videotestsrc pattern=}"
draw_set "$COLOUR" RGB 32 "${PATTERNS[@]/#/videotestsrc pattern=}"

while read -r _ name kind model arguments; do
    if ! find_models "$model"; then
        echo "$name.png is left out: there is no $MODELS/$model-1.onnx"
        continue
    fi
    FOLDER=$DIGITS
    [ "$(model_says "$model" colour)" != rgb ] || FOLDER=$COLOUR
    # shellcheck disable=SC2086
    "picture_$kind" "$name" "$model" $arguments
done < <(tr ';' '\n' <"$ROOT/pipelines/lib/lesson.table" | grep '^ *gallery ')

FOLDER=$DIGITS
draw_rebuilt s5:150 s1:128 a2:64 k6:64 k1:32 k2:32 k3:32 v1:20 a1:8 s6:2 \
    s4-bce:2 s10:2
draw between interpolate vae "$(idx_file "$DIGITS" t10k images)" 6 2
find_models s1 s4-bce s5 s10 v1 && picture_random random "${FOUND[@]}"
find_models s7 s4-bce && picture_random claims-random "${FOUND[@]}"
find_models s4-bce s10 && picture_scatter vae-scatter "${FOUND[@]}"
logs=()
if find_models k1 k3 s1; then
    for model in "${FOUND[@]}"; do
        logs+=("$MODELS/$model-1.onnx.log")
    done
    draw curves curves "${logs[@]}" --captions "$(join "${FOUND[@]}")"
fi
