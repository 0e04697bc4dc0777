#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# PSNR and SSIM of a denoiser on BSD68, seeded Gaussian noise added in float,
# clipped and rounded to 8 bit; mean of the images' PSNR, all pixels.
#
#   pipelines/evaluate-denoise.sh [MODEL [SIGMA...]]
#
# MODEL: an ONNX file; default: the built-in denoiser. SIGMA: in levels of 255;
# default 15 25 50. Data: AE_DATA/bsd68.
set -euo pipefail
. "$(dirname "$0")/common.sh"

MODEL=${1:-}
shift || true
[ $# -gt 0 ] || set -- 15 25 50

[ -f "$AE_DATA/bsd68/bsd68.tar" ] ||
    die "BSD68 is not in $AE_DATA: set AE_DATA to the folder of the data sets."
build
make_temporary
tar xf "$AE_DATA/bsd68/bsd68.tar" -C "$TEMPORARY"
IMAGES=$(find "$TEMPORARY" -name 'test001.png' -printf '%h')

# Compares what ELEMENTS make of the noisy images with the clean ones.
measure() {
    gst-launch-1.0 -m multifilesrc location="$IMAGES/test%03d.png" \
        start-index=1 caps=image/png,framerate=1/1 ! pngdec ! tee name=t \
        t. ! queue ! aenoise noise="gaussian:sd=$sd" seed=1 ! "$@" ! \
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
    sd=$(awk "BEGIN { print $sigma / 255 }")
    echo "BSD68, sigma $sigma: noisy $(measure identity)," \
        "denoised $(measure aedenoise ${MODEL:+model-file="$MODEL"})"
done
