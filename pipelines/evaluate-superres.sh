#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# PSNR of enlarged luma on Set5 or BSD100, as it is published: luma as MATLAB's
# rgb2ycbcr has it, cropped to a multiple of the scale, made small by MATLAB's
# bicubic imresize (to 8 bits), a border of scale pixels not counted; mean of the
# images' PSNR, beside bicubic enlargement.
#
#   pipelines/evaluate-superres.sh [SCALE [MODEL]]
#
# SCALE: 2, 3 or 4; default: all. MODEL: an ONNX file; default: the built-in
# one. SET: set5 (default) or bsd100. NOISE, as aenoise takes it, is what the
# small pictures get. Data: AE_DATA/set5, AE_DATA/bsds500.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"

MODEL=${2:-}

SET=${SET:-set5}
case $SET in
set5) ARCHIVE=set5/set5.tar ;;
bsd100) ARCHIVE=bsds500/bsds500_jpg.tar ;;
*) die "SET is set5 or bsd100, not $SET." ;;
esac
[ -f "$AE_DATA/$ARCHIVE" ] ||
    die "$SET is not in $AE_DATA: set AE_DATA to the folder of the data sets."
build
make_temporary
MODEL=${MODEL:+$(realpath "$MODEL")}
cd "$TEMPORARY"
tar xf "$AE_DATA/$ARCHIVE"

# The pictures, one a line.
list() {
    if [ "$SET" = set5 ]; then
        find . -name '*_GT.png' | sort
    else
        cat "$AE_DATA/bsds500/bsd100.txt"
    fi
}

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
    for picture in $(list); do
        gst-launch-1.0 -q filesrc location="$picture" ! decodebin ! \
            videoconvert ! video/x-raw,format=RGB ! \
            videoconvert dither=none ! \
            video/x-raw,format=GRAY8,colorimetry=bt601 ! pngenc ! \
            filesink location=luma.png
        width=$(png_side luma.png 16) height=$(png_side luma.png 20)
        gst-launch-1.0 -q filesrc location=luma.png ! pngdec ! \
            videocrop right=$((width % scale)) bottom=$((height % scale)) ! \
            pngenc ! filesink location=wanted.png
        width=$((width / scale * scale)) height=$((height / scale * scale))
        ae resize $((width / scale))x$((height / scale)) wanted.png smaller.png
        gst-launch-1.0 -q filesrc location=smaller.png ! pngdec ! aenoise \
            noise="${NOISE:-none}" seed=1 ! pngenc ! filesink location=small.png
        ae resize "${width}x$height" small.png bicubic.png
        echo "$(compare bicubic.png wanted.png "$scale")" \
            "$(compare small.png wanted.png "$scale" aesuperres scale="$scale" \
                ${MODEL:+model-file="$MODEL"} !)" >>figures
    done
    awk -v set="$SET" -v scale="$scale" '{ b += $1; m += $2 }
        END { printf "%s, x%d: bicubic %.2f dB, aesuperres %.2f dB (%d images)\n",
                     set, scale, b / NR, m / NR, NR }' figures
}

for scale in ${1:-2 3 4}; do
    evaluate "$scale"
done
