#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# PSNR of enlarged luma on Set5, as it is published: luma as MATLAB's rgb2ycbcr
# has it, cropped to a multiple of the scale, made small by MATLAB's bicubic
# imresize (to 8 bits), a border of scale pixels not counted; mean of the images'
# PSNR, beside bicubic enlargement.
#
#   pipelines/evaluate-superres.sh [SCALE [MODEL]]
#
# SCALE: 2, 3 or 4; default: all. MODEL: an ONNX file; default: the built-in
# one. Data: AE_DATA/set5.
set -euo pipefail
. "$(dirname "$0")/common.sh"

MODEL=${2:-}

[ -f "$AE_DATA/set5/set5.tar" ] ||
    die "Set5 is not in $AE_DATA: set AE_DATA to the folder of the data sets."
build
make_temporary
tar xf "$AE_DATA/set5/set5.tar" -C "$TEMPORARY"
cd "$TEMPORARY"

# side PICTURE OFFSET: the number at that place of a PNG's header.
side() { od -An -j "$2" -N 4 -t u4 --endian=big "$1" | tr -d ' '; }

# compare PICTURE WANTED SHAVE [ELEMENTS...]: PSNR of what ELEMENTS make of it.
compare() {
    local picture=$1 wanted=$2 shave=$3
    shift 3
    local crop=(videocrop left="$shave" right="$shave" top="$shave"
        bottom="$shave")
    gst-launch-1.0 -m filesrc location="$picture" ! pngdec ! "$@" "${crop[@]}" ! \
        c.sink aecompare name=c messages=false ! fakesink sync=false \
        filesrc location="$wanted" ! pngdec ! "${crop[@]}" ! \
        c.reference >log || die "$(grep ERROR log)"
    message_field log ae-compare-total psnr-mean
}

# A line for SCALE.
evaluate() {
    local scale=$1 width height
    rm -f figures
    for picture in $(find . -name '*_GT.png' | sort); do
        width=$(($(side "$picture" 16) / scale * scale))
        height=$(($(side "$picture" 20) / scale * scale))
        gst-launch-1.0 -q filesrc location="$picture" ! pngdec ! \
            videoconvert dither=none ! \
            video/x-raw,format=GRAY8,colorimetry=bt601 ! \
            videocrop right=$(($(side "$picture" 16) - width)) \
            bottom=$(($(side "$picture" 20) - height)) ! pngenc ! \
            filesink location=wanted.png
        ae resize $((width / scale))x$((height / scale)) wanted.png small.png
        ae resize "${width}x$height" small.png bicubic.png
        echo "$(compare bicubic.png wanted.png "$scale")" \
            "$(compare small.png wanted.png "$scale" aesuperres scale="$scale" \
                ${MODEL:+model-file="$MODEL"} !)" >>figures
    done
    awk -v scale="$scale" '{ b += $1; m += $2 }
        END { printf "Set5, x%d: bicubic %.2f dB, aesuperres %.2f dB (%d images)\n",
                     scale, b / NR, m / NR, NR }' figures
}

MODEL=${MODEL:+$(cd "$OLDPWD" && realpath "$MODEL")}
for scale in ${1:-2 3 4}; do
    evaluate "$scale"
done
