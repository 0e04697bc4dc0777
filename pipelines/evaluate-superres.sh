#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# PSNR of enlarged luma, beside bicubic enlargement, as papers give it: luma as
# MATLAB's rgb2ycbcr has it, cropped to a multiple of the scale, reduced by
# MATLAB's bicubic imresize (to 8 bits), without a border of scale pixels; mean
# of the images' PSNR.
#
#   pipelines/evaluate-superres.sh [SCALE [MODEL]]
#
# SCALE: 2, 3 or 4; default: all. MODEL: an ONNX file; default: the built-in
# one. SET: set5 (default) or bsd100. NOISE, as aenoise takes it, is what the
# small pictures get. Data: AE_DATA/set5, AE_DATA/bsds500.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"

MODEL=${2:+$(realpath "$2")}
SET=${SET:-set5}
case $SET in
set5) ARCHIVE=set5/set5.tar ;;
bsd100) ARCHIVE=bsds500/bsds500_jpg.tar ;;
*) die "SET is set5 or bsd100, not $SET." ;;
esac
need_data "$ARCHIVE"
build
make_temporary
cd "$TEMPORARY"
tar xf "$AE_DATA/$ARCHIVE"
if [ "$SET" = set5 ]; then
    mapfile -t PICTURES < <(find . -name '*_GT.png' | sort)
else
    mapfile -t PICTURES <"$AE_DATA/bsds500/bsd100.txt"
fi

# convert FROM TO ELEMENT...: a PNG file of what ELEMENTS make of a picture.
convert() {
    gst-launch-1.0 -q filesrc location="$1" ! decodebin ! videoconvert ! \
        "${@:3}" ! pngenc ! filesink location="$2"
}

# PSNR of what ELEMENTS make of a picture, beside wanted.png.
#   quality SCALE PICTURE [! ELEMENT...]
quality() {
    local crop=(! videocrop left="$1" right="$1" top="$1" bottom="$1")
    REFERENCE=(filesrc location=wanted.png ! pngdec "${crop[@]}")
    compare "$2" 1 filesrc location="$2" ! pngdec "${@:3}" "${crop[@]}"
    compared psnr-mean
}

# The number of each picture, and its PSNR enlarged by bicubic interpolation and
# by the model: enlarge_all SCALE
enlarge_all() {
    local scale=$1 number=0 picture width height
    for picture in "${PICTURES[@]}"; do
        convert "$picture" luma.png video/x-raw,format=RGB ! \
            videoconvert dither=none ! \
            video/x-raw,format=GRAY8,colorimetry=bt601
        width=$(png_side luma.png 16) height=$(png_side luma.png 20)
        convert luma.png wanted.png videocrop right=$((width % scale)) \
            bottom=$((height % scale))
        width=$((width / scale)) height=$((height / scale))
        ae resize ${width}x$height wanted.png smaller.png
        convert smaller.png small.png aenoise noise="${NOISE:-none}" seed=1
        ae resize $((width * scale))x$((height * scale)) small.png bicubic.png
        number=$((number + 1))
        echo $number "$(quality "$scale" bicubic.png)" "$(quality "$scale" \
            small.png ! aesuperres scale="$scale" ${MODEL:+model-file="$MODEL"})"
    done
}

for scale in ${1:-2 3 4}; do
    enlarge_all "$scale" |
        progress "$SET, x$scale" '^([0-9]+) ' ${#PICTURES[@]} |
        awk -v set="$SET" -v scale="$scale" '{ b += $2; m += $3 }
            END { printf "%s, x%d: bicubic %.2f dB, aesuperres %.2f dB "\
                "(%d images)\n", set, scale, b / NR, m / NR, NR }'
done
