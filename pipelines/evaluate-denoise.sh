#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# PSNR and SSIM of a denoiser: mean of the images' PSNR of all samples; every
# image for itself. The noise is Gaussian, seeded, added in float, clipped and
# rounded to 8 bits.
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
read_pictures "$TEMPORARY/$SET/clean%03d.png"
REFERENCE=("${SOURCE[@]}" ! videoconvert ! "video/x-raw,format=$FORMAT")

# measure SIGMA ELEMENT...: what ELEMENTS make of the noisy images.
measure() {
    compare "$SET, sigma $1" "$COUNT" "${REFERENCE[@]}" ! \
        aenoise noise="$(gaussian "$1")" seed=1 ! "${@:2}"
    printf '%s dB, SSIM %s (%s images)' "$(compared psnr-mean | cut -c 1-5)" \
        "$(compared ssim | cut -c 1-6)" "$(compared frames)"
}

for sigma; do
    noisy=$(measure "$sigma" identity)
    denoised=$(measure "$sigma" aedenoise temporal=false \
        ${MODEL:+model-file="$MODEL"})
    echo "$SET, sigma $sigma: noisy $noisy, denoised $denoised"
done
