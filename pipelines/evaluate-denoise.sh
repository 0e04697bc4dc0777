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
. "$(dirname "$0")/common.sh"

MODEL=${1:-}
shift || true
[ $# -gt 0 ] || set -- 15 25 50

SET=${SET:-bsd68}
case $SET in
bsd68) NAMES=test%03d.png FORMAT=GRAY8 ;;
kodak24) NAMES=kodim%02d.png FORMAT=I420 ;;
*) die "SET is bsd68 or kodak24, not $SET." ;;
esac

[ -f "$AE_DATA/$SET/$SET.tar" ] ||
    die "$SET is not in $AE_DATA: set AE_DATA to the folder of the data sets."
build
make_temporary
tar xf "$AE_DATA/$SET/$SET.tar" -C "$TEMPORARY"
# shellcheck disable=SC2059
IMAGES=$(find "$TEMPORARY" -name "$(printf "$NAMES" 1)" -printf '%h')

# Compares what ELEMENTS make of the noisy images with the clean ones.
measure() {
    gst-launch-1.0 -m multifilesrc location="$IMAGES/$NAMES" \
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
    echo "$SET, sigma $sigma: noisy $(measure identity)," \
        "denoised $(measure aedenoise temporal=false ${MODEL:+model-file="$MODEL"})"
done
