#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A denoiser on the real noise of cameras, with no property set: PSNR to the mean
# of many shots, of all samples, mean of the images' PSNR; by how much the worst
# image gains, and how many images lose.
#
#   pipelines/evaluate-cameras.sh [MODEL [FORMAT]]
#
# MODEL: an ONNX file; default: the built-in denoiser. FORMAT: of the video,
# default RGB. Data: AE_DATA/cc15, AE_DATA/polyu_crops, which are test sets, and,
# to choose models by, AE_DATA/t91, which no denoiser of a single plane learns
# from: its pictures, 256x256, through a simulated camera, that is a sensor's
# colour filters, noise, demosaicing and JPEG.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"

MODEL=${1:-}
FORMAT=${2:-RGB}

build gstreamer1.0-plugins-bad
make_temporary

# pictures PATTERN TYPE DECODER: sets SOURCE to what shows them
pictures() {
    SOURCE=(multifilesrc location="$1" start-index=1 caps="image/$2,framerate=1/1" !
        "$3" ! videoconvert)
}

# The PSNR of every image that the aecompare NAME measured: each NAME
each() {
    grep "\"$1\".*ae-compare," "$TEMPORARY/log" |
        grep -oE 'psnr=\(double\)[^,;]*' | cut -d ')' -f 2
}

# measure SET: denoises what NOISY shows and compares it with what SOURCE shows.
measure() {
    local format="video/x-raw,format=$FORMAT"
    gst-launch-1.0 -m "${NOISY[@]}" ! "$format" ! tee name=t \
        t. ! queue ! before.sink \
        t. ! queue ! aedenoise temporal=false ${MODEL:+model-file="$MODEL"} ! after.sink \
        "${SOURCE[@]}" ! "$format" ! tee name=r \
        r. ! queue ! before.reference r. ! queue ! after.reference \
        aecompare name=after ! fakesink sync=false \
        aecompare name=before ! fakesink sync=false >"$TEMPORARY/log" ||
        die "$(grep ERROR "$TEMPORARY/log")"
    paste <(each before) <(each after) | awk -v set="$1" '{
            gain = $2 - $1; noisy += $1; sum += gain; losers += gain < 0
            if (NR == 1 || gain < worst) worst = gain
        } END {
            printf "%s, %d images: noisy %.2f dB, denoised %.2f dB, "\
                "gain %.2f dB, at worst %.2f dB, %d lose\n", set, NR,
                noisy / NR, (noisy + sum) / NR, sum / NR, worst, losers
        }'
}

# measure_pairs SET SUFFIX TYPE DECODER
measure_pairs() {
    local folder=$TEMPORARY/$1
    unpack_set "$1"
    number_pictures "$folder" "real.$2" noisy
    number_pictures "$folder" "mean.$2" clean
    pictures "$folder/noisy%03d.$2" "$3" "$4"
    NOISY=("${SOURCE[@]}")
    pictures "$folder/clean%03d.$2" "$3" "$4"
    measure "$1"
}

# Photons make about the same noise everywhere, once the picture has its gamma.
measure_simulated() {
    local raw=(! capssetter join=false caps="video/x-raw,format=GRAY8")
    local rgb=(! capssetter join=false caps="video/x-bayer,format=bggr" !
        bayer2rgb ! videoconvert ! jpegenc quality=95 ! jpegdec ! videoconvert)
    unpack_set t91
    number_pictures "$TEMPORARY/t91" .png scene
    pictures "$TEMPORARY/t91/scene%03d.png" png pngdec
    SOURCE+=(! videoscale ! "video/x-raw,format=ARGB,width=256,height=256" !
        rgb2bayer)
    NOISY=("${SOURCE[@]}" "${raw[@]}" ! aenoise noise=gaussian:sd=0.005..0.06
        "${rgb[@]}")
    SOURCE+=("${rgb[@]}")
    measure "a simulated camera"
}

measure_pairs cc15 png png pngdec
measure_pairs polyu_crops JPG jpeg jpegdec
measure_simulated
