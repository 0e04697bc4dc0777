#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# PSNR and SSIM of a denoiser, seeded Gaussian noise added in float, clipped and
# rounded to 8 bit; mean of the images' PSNR, all samples; every
# image for itself.
#
#   [SET=kodak24] pipelines/evaluate-denoise.sh [MODEL [SIGMA...]]
#
# MODEL: an ONNX file; default: the built-in denoiser. SIGMA: in levels of 255;
# default 15 25 50; 0 asks what becomes of clean video. SET: bsd68 (the default),
# gray, or kodak24, in colour, as I420. Data: AE_DATA/SET.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"

MODEL=${1:-}
shift || true
[ $# -gt 0 ] || set -- 15 25 50

SET=${SET:-bsd68}
case $SET in
bsd68) FORMAT=GRAY8 ;;
kodak24) FORMAT=I420 ;;
*) die "SET is bsd68 or kodak24, not $SET." ;;
esac
build
make_temporary
unpack_set "$SET"
number_pictures "$TEMPORARY/$SET" .png clean

# Compares what ELEMENTS make of the noisy images with the clean ones.
measure() {
    gst-launch-1.0 -m multifilesrc location="$TEMPORARY/$SET/clean%03d.png" \
        start-index=1 caps=image/png,framerate=1/1 ! pngdec ! \
        videoconvert ! video/x-raw,format=$FORMAT ! tee name=t \
        t. ! queue ! aenoise noise="$noise" seed=1 ! "$@" ! \
        c.sink aecompare name=c messages=false ! fakesink sync=false \
        t. ! queue ! c.reference >"$TEMPORARY/log" ||
        die "$(grep ERROR "$TEMPORARY/log")"
    printf '%s dB, SSIM %s (%s images)' \
        "$(message_field "$TEMPORARY/log" ae-compare-total psnr-mean |
            cut -c 1-5)" \
        "$(message_field "$TEMPORARY/log" ae-compare-total ssim | cut -c 1-6)" \
        "$(message_field "$TEMPORARY/log" ae-compare-total frames)"
}

for sigma; do
    noise=$(gaussian "$sigma")
    noisy=$(measure identity)
    denoised=$(measure aedenoise temporal=false ${MODEL:+model-file="$MODEL"})
    echo "$SET, sigma $sigma: noisy $noisy, denoised $denoised"
done
