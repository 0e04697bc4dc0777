#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A denoiser on the real noise of cameras, with no property set: PSNR to the mean
# of many shots, of all samples, mean of the images' PSNR; the gain of the worst
# image; and how many images lose.
#
#   pipelines/evaluate-cameras.sh [MODEL [FORMAT]]
#
# MODEL: an ONNX file; default: the built-in denoiser. FORMAT: of the video,
# default RGB. Data: AE_DATA/cc15 and AE_DATA/polyu_crops, which are test sets,
# and AE_DATA/t91, to choose models by, which no denoiser of a single plane
# learns from: pictures of 256x256 through a simulated camera, which has the
# colour filters of a sensor, noise, demosaicing and JPEG.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"

MODEL=${1:-}
FORMAT=${2:-RGB}

# The PSNR of every image that compare() compared.
each() {
    grep 'ae-compare,' "$TEMPORARY/compared" |
        sed -E 's/.* psnr=\(double\)([^,;]*).*/\1/'
}

# Denoises the images of NOISY, compares them with REFERENCE: measure NAME
measure() {
    local noisy=("${NOISY[@]}" ! videoconvert ! "video/x-raw,format=$FORMAT")
    REFERENCE+=(! videoconvert ! "video/x-raw,format=$FORMAT")
    compare "$1, noisy" "$COUNT" "${noisy[@]}"
    each >"$TEMPORARY/before"
    compare "$1, denoised" "$COUNT" "${noisy[@]}" ! \
        aedenoise temporal=false ${MODEL:+model-file="$MODEL"}
    each | paste "$TEMPORARY/before" - | awk -v set="$1" '{
            gain = $2 - $1; noisy += $1; sum += gain; losers += gain < 0
            if (NR == 1 || gain < worst) worst = gain
        } END {
            printf "%s, %d images: noisy %.2f dB, denoised %.2f dB, "\
                "gain %.2f dB, at worst %.2f dB, %d lose\n", set, NR,
                noisy / NR, (noisy + sum) / NR, sum / NR, worst, losers
        }'
}

# measure_pairs SET SUFFIX
measure_pairs() {
    local folder=$TEMPORARY/$1
    unpack_set "$1"
    number_pictures "$folder" "real.$2" noisy
    number_pictures "$folder" "mean.$2" clean
    read_pictures "$folder/noisy%03d.$2"
    NOISY=("${SOURCE[@]}")
    read_pictures "$folder/clean%03d.$2"
    REFERENCE=("${SOURCE[@]}")
    measure "$1"
}

# Photons make about the same noise everywhere, once the picture has its gamma.
measure_simulated() {
    local raw=(! capssetter join=false caps="video/x-raw,format=GRAY8")
    local rgb=(! capssetter join=false caps="video/x-bayer,format=bggr" !
        bayer2rgb ! videoconvert ! jpegenc quality=95 ! jpegdec)
    unpack_set t91
    number_pictures "$TEMPORARY/t91" .png scene
    read_pictures "$TEMPORARY/t91/scene%03d.png"
    SOURCE+=(! videoconvert ! videoscale ! "video/x-raw,format=ARGB,width=256,height=256" !
        rgb2bayer)
    NOISY=("${SOURCE[@]}" "${raw[@]}" ! aenoise noise=gaussian:sd=0.005..0.06
        "${rgb[@]}")
    REFERENCE=("${SOURCE[@]}" "${rgb[@]}")
    measure "a simulated camera"
}

build gstreamer1.0-plugins-bad
make_temporary
measure_pairs cc15 png
measure_pairs polyu_crops JPG
measure_simulated
