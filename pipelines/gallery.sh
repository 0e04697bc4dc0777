#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Draws the pictures of docs/user/gallery.md that need trained models, from the models
# that lesson.sh has left in MODELS; a picture whose model is missing is left
# out. No image of a data set is shown: digits are drawn by the built-in
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

# The first image of each seed, as the test images of FOLDER; through a pipe, for
# fdsink would seek in a file: draw_digits FOLDER
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

# Each pattern, as the test images of FOLDER.
#   draw_patterns FOLDER FORMAT SIDE [CHANNELS]
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

# Sets MODEL to the first of these models that is there: have NAME...
have() {
    local name
    for name; do
        MODEL=$MODELS/$name-1.onnx
        [ ! -f "$MODEL" ] || return 0
    done
    echo "left out: there is no $MODELS/$1-1.onnx"
    return 1
}

# Sets FOUND to captions and models, in turn; a model is the first that is there
# of some: find_models CAPTION:NAME[:NAME]...
find_models() {
    local part
    FOUND=()
    for part; do
        IFS=: read -ra part <<<"$part"
        have "${part[@]:1}" && FOUND+=("${part[0]}" "$MODEL")
    done
    [ ${#FOUND[@]} -gt 0 ]
}

# The digits, and what each of FOUND makes of them.
draw_rebuilt() {
    local i
    ten_images "$DIGITS"
    begin_rows
    add_row input "${TEN[@]}"
    for ((i = 0; i < ${#FOUND[@]}; i += 2)); do
        add_row "${FOUND[i]}" "${TEN[@]}" ! \
            aedenoise temporal=false model-file="${FOUND[i + 1]}"
    done
    draw_rows "$OUT/rebuilt.png"
}

# The plane of a code of two values: draw_plane NAME RANGE
draw_plane() {
    ! have "$1" || draw "$OUT/${1%-bce}-plane.png" manifold "$MODEL" \
        --count 10 --range "$2"
}

build
make_temporary
mkdir -p "$OUT"
DIGITS=$TEMPORARY/digits GRAY=$TEMPORARY/gray COLOUR=$TEMPORARY/colour
draw_digits "$DIGITS"
draw_patterns "$GRAY" GRAY8 28
draw_patterns "$COLOUR" RGB 32 3

find_models "S5 (150):s5" "S1 (128):s1:s7" "A2 (64):a2" "K6 (64):k6" \
    "K1 (32):k1" "K2 (32):k2" "K3 (32):k3" "V1 (20):v1" "A1 (8):a1" \
    "S6 (2):s6" "S4 (2):s4-bce" "S10 (2):s10" && draw_rebuilt
have a2 && show_rebuilt "$GRAY" "$MODEL" "$OUT/a2-foreign.png"

NOISE=gaussian:mean=0.5,sd=0.5
have s2 s8 && show_denoised "$DIGITS" "$MODEL" "$OUT/s2.png" $NOISE
have s8 s2 && show_denoised "$GRAY" "$MODEL" "$OUT/s8-foreign.png" $NOISE
have k5 && show_denoised "$DIGITS" "$MODEL" "$OUT/k5.png" gaussian:sd=0.5

for name in s3 s3-free; do
    have $name && show_enlarged "$DIGITS" 14 2 "$MODEL" "$OUT/$name.png"
done
for scale in 2 4; do
    have s9-$scale && show_enlarged "$COLOUR" $((32 / scale)) $scale "$MODEL" \
        "$OUT/s9-$scale.png"
done
have s9-4 && show_noise "$MODEL" "$OUT/s9-noise.png"

images=$(idx_file "$DIGITS" t10k images)
have s7 s1 && show_noisy_codes "$images" "$MODEL" "$OUT/s7.png" 0 0.25 0.5 1 2 4
draw "$OUT/between.png" interpolate vae "$images" 6 2
find_models S1:s1:s7 S5:s5 S4:s4-bce S10:s10 V1:v1 &&
    show_random "$OUT/random.png" "${FOUND[@]}"
find_models plain:s7:s1 variational:s4-bce &&
    show_random "$OUT/claims-random.png" "${FOUND[@]}"
have s5 && show_random "$OUT/s5-prior.png" S5 "$MODEL"
have c1 && draw "$OUT/c1-labels.png" labels "$MODEL"
draw_plane s4-bce 1
draw_plane s10 1
draw_plane k7a 2
draw_plane k7b 0.15
draw_plane k7c 15

have s6 && show_codes "$(digits)" "$OUT/s6-scatter.png" autoencoder "$MODEL" \
    "principal components" "$MODELS/s6-components-1.onnx"
find_models S4:s4-bce S10:s10 &&
    show_codes "$(digits)" "$OUT/vae-scatter.png" "${FOUND[@]}"
have k1 && draw "$OUT/k1-weights.png" weights "$MODEL"
if find_models K1:k1 K3:k3 S1:s1:s7; then
    logs=() captions=()
    for ((i = 0; i < ${#FOUND[@]}; i += 2)); do
        captions+=("${FOUND[i]}") logs+=("${FOUND[i + 1]}.log")
    done
    draw "$OUT/curves.png" curves "${logs[@]}" \
        --captions "$(join "${captions[@]}")"
fi
