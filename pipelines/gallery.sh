#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The pictures of docs/gallery.md that need trained models, from those that the
# other scripts have left in MODELS; what needs one that is not there is left
# out. No image of a data set is shown: digits are drawn by the built-in
# variational autoencoder, other images are test patterns. Dots are codes of the
# test images of MNIST in AE_DATA, else of Fashion-MNIST.
#
#   pipelines/gallery.sh [MODELS [OUT]]
#
# Default: out and MODELS/gallery.
set -euo pipefail
. "$(dirname "$0")/common.sh"

MODELS=${1:-out}
OUT=${2:-$MODELS/gallery}
SEEDS=(292 208 114 41 67 299 117 147 276 332) # of a 0, a 1, ..., a 9
PATTERNS=(smpte smpte100 spokes circular checkers-4 checkers-8 gradient pinwheel
    colors gamut)

# The first image of each seed, as the test images of FOLDER; a pipe, for fdsink
# would seek in a file: draw_digits FOLDER
draw_digits() {
    local seed
    mkdir "$1"
    {
        idx_header 10 28 28
        for seed in "${SEEDS[@]}"; do
            gst-launch-1.0 -q vaesample seed="$seed" num-buffers=1 ! \
                video/x-raw,format=GRAY8 ! fdsink
        done
    } | cat >"$1/t10k-images-idx3-ubyte"
}

# Each pattern, likewise: draw_patterns FOLDER FORMAT SIDE [CHANNELS]
draw_patterns() {
    local pattern
    mkdir "$1"
    {
        idx_header 10 "$3" "$3" "${@:4}"
        for pattern in "${PATTERNS[@]}"; do
            gst-launch-1.0 -q videotestsrc num-buffers=1 pattern="$pattern" ! \
                video/x-raw,format="$2",width="$3",height="$3" ! fdsink
        done
    } | cat >"$1/t10k-images-idx$#-ubyte"
}

# Sets MODEL to the first of these that is there: have NAME...
have() {
    local name
    for name; do
        MODEL=$MODELS/$name-1.onnx
        [ ! -f "$MODEL" ] || return 0
    done
    echo "left out: there is no $MODELS/$1-1.onnx"
    return 1
}

# Sets FOUND to the models that are there and CAPTIONS to theirs; a model is the
# first that is there of some: find_models CAPTION:NAME[:NAME]...
find_models() {
    local part
    FOUND=() CAPTIONS=
    for part; do
        IFS=: read -ra part <<<"$part"
        have "${part[@]:1}" || continue
        FOUND+=("$MODEL")
        CAPTIONS+=${CAPTIONS:+,}${part[0]}
    done
    [ ${#FOUND[@]} -gt 0 ]
}

# ae figure, whose picture goes to OUT/NAME.png: draw NAME KIND...
draw() {
    ae figure "${@:2}" -o "$OUT/$1.png"
    echo "picture: $OUT/$1.png"
}

# The digits, and what each of FOUND makes of them.
draw_rebuilt() {
    local model prefix rows
    ten_pictures "$DIGITS" "$TEMPORARY/input"
    rows=("$TEMPORARY"/input?.png)
    for model in "${FOUND[@]}"; do
        prefix=$TEMPORARY/rebuilt${#rows[@]}-
        ten_pictures "$DIGITS" "$prefix" aedenoise temporal=false \
            model-file="$model"
        rows+=("$prefix"?.png)
    done
    draw rebuilt grid $((${#FOUND[@]} + 1))x10 "${rows[@]}" --zoom 3 \
        --row-captions "input,$CAPTIONS"
}

build
make_temporary
mkdir -p "$OUT"
draw_digits "$TEMPORARY/digits"
draw_patterns "$TEMPORARY/gray" GRAY8 28
draw_patterns "$TEMPORARY/colour" RGB 32 3
DIGITS=$(idx_file "$TEMPORARY/digits" t10k images)

find_models "S5 (150):s5" "S1 (128):s1:s7" "A2 (64):a2" "K6 (64):k6" \
    "K1 (32):k1" "K2 (32):k2" "K3 (32):k3" "V1 (20):v1" "A1 (8):a1" \
    "S6 (2):s6" "S4 (2):s4-bce" "S10 (2):s10" && draw_rebuilt
have a2 && show_rows "$TEMPORARY/gray" "$MODEL" "$OUT/a2-foreign.png"

NOISE=gaussian:mean=0.5,sd=0.5
have s2 s8 && show_denoised "$TEMPORARY/digits" "$MODEL" "$OUT/s2.png" $NOISE
have s8 s2 && show_denoised "$TEMPORARY/gray" "$MODEL" "$OUT/s8-foreign.png" \
    $NOISE
have k5 && show_denoised "$TEMPORARY/digits" "$MODEL" "$OUT/k5.png" \
    gaussian:sd=0.5

ae new nearest --channels 1 --scale 2 -o "$TEMPORARY/nearest.onnx"
for name in s3 s3-free; do
    have $name && show_enlarged "$TEMPORARY/digits" 14 "$MODEL" "$OUT/$name.png"
done
for scale in 2 4; do
    ae new nearest --channels 3 --scale $scale -o "$TEMPORARY/nearest.onnx"
    have s9-$scale && show_enlarged "$TEMPORARY/colour" $((32 / scale)) \
        "$MODEL" "$OUT/s9-$scale.png"
done
have s9-4 && show_noise "$MODEL" "$OUT/s9-noise.png"

have s7 s1 && show_noisy_codes "$DIGITS" "$MODEL" "$OUT/s7.png" 0 0.25 0.5 1 2 4
draw between interpolate vae "$DIGITS" 6 2
find_models S1:s1:s7 S5:s5 S4:s4-bce S10:s10 V1:v1 &&
    show_random "$OUT/random.png" "$CAPTIONS" "${FOUND[@]}"
have c1 && draw c1-labels labels "$MODEL"
have s4-bce && show_plane "$MODEL" 10 1 "$OUT/s4-plane.png"
have s10 && show_plane "$MODEL" 10 1 "$OUT/s10-plane.png"
have k7a && show_plane "$MODEL" 10 2 "$OUT/k7a-plane.png"
have k7b && show_plane "$MODEL" 10 0.15 "$OUT/k7b-plane.png"
have k7c && show_plane "$MODEL" 10 15 "$OUT/k7c-plane.png"

have s6 && show_codes "$(digits)" "$OUT/s6-scatter.png" \
    "autoencoder,principal components" "$MODEL" "$MODELS/s6-pca.onnx"
find_models S4:s4-bce S10:s10 &&
    show_codes "$(digits)" "$OUT/vae-scatter.png" "$CAPTIONS" "${FOUND[@]}"
have k1 && draw k1-weights weights "$MODEL"
find_models K1:k1 K3:k3 S1:s1:s7 || exit 0
draw curves curves "${FOUND[@]/%/.log}" --captions "$CAPTIONS"
