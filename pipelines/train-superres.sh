#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Trains a built-in model that enlarges luma, from natural images and what
# bicubic downscaling leaves of them; then measures it on every twentieth
# image, which it has not seen. Those it learns from are made 0.4, 0.5 and 0.6
# times as large first: so they are sharp to the pixel, and without the marks of
# JPEG. Beside them are pictures as sharp as text and other graphics: without
# these, a large network makes of black dots on white what it likes.
#
#   pipelines/train-superres.sh SCALE [MODEL.onnx [STEPS]]
#
# SCALE: 2, 3 or 4. Data, under AE_DATA: t91 and the train and test folders of
# BSDS500, nothing else. An interrupted run continues when the same command is
# given again. ARCHITECTURE (superres-s), RATE (0.004), NOISE (of the small
# image, as aenoise takes it; none), INITIAL, a model (of another scale, too)
# whose weights are taken where they fit, and THREADS (0: all) change the run.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"

SCALE=${1:-}
MODEL=${2:-superres$SCALE.onnx}
STEPS=${3:-320000}
LEAST=96 # pixels of a side: smaller images are left out

case $SCALE in 2 | 3 | 4) ;; *) die "usage: $0 2|3|4 [MODEL.onnx [STEPS]]" ;; esac
PATCH=$((16 * SCALE)) # pixels of an enlarged one's side
[ -f "$AE_DATA/t91/t91.tar" ] ||
    die "No training images in $AE_DATA: set AE_DATA to the folder."
build
make_temporary

# to_luma SUFFIX CAPS DECODER: luma of BT.601 of all pictures below the folder
# SUFFIX, as PNG: of RGB in the studio range, of JPEG as it is, in the full one.
to_luma() {
    find "$1" -name "*.$1" | sort | link_numbered "$1" ""
    gst-launch-1.0 -q multifilesrc location="$1/%05d" \
        caps="$2,framerate=1/1" ! "$3" ! videoconvert dither=none ! \
        video/x-raw,format=GRAY8,colorimetry=bt601 ! pngenc ! \
        multifilesink location="luma/$1%05d.png"
}

cd "$TEMPORARY"
mkdir png jpg luma small train held
tar xf "$AE_DATA/t91/t91.tar" -C png
tar xf "$AE_DATA/bsds500/bsds500_jpg.tar" -C jpg train test
to_luma png image/png pngdec
to_luma jpg image/jpeg jpegdec
seen=0
for picture in $(printf '%s\n' luma/* | mixed | at_least $LEAST); do
    seen=$((seen + 1))
    if [ $((seen % 20)) -eq 0 ]; then
        ln "$picture" "$(printf 'held/%05d.png' $((seen / 20 - 1)))"
        continue
    fi
    for percent in 40 50 60; do
        width=$(($(png_side "$picture" 16) * percent / 100))
        height=$(($(png_side "$picture" 20) * percent / 100))
        ae resize "${width}x$height" "$picture" \
            "$(printf 'small/%05d-%d.png' $seen $percent)"
    done
done
mosaics small 2 3 4 6 8
printf '%s\n' small/* | mixed | at_least $PATCH | link_numbered train .png
cd "$OLDPWD"
echo "$(find "$TEMPORARY/train" -type f | wc -l) images for training," \
    "$((seen / 20)) held out"

# run FOLDER PROPERTY=VALUE...
run() {
    local folder=$1
    shift
    gst-launch-1.0 -m multifilesrc location="$TEMPORARY/$folder/%05d.png" \
        caps=image/png,framerate=1/1 loop="$LOOP" ! pngdec ! \
        aetrain task=superres scale="$SCALE" downscale=bicubic \
        noise="${NOISE:-none}" model-file="$MODEL" \
        threads="${THREADS:-0}" batch-size=8 loss=mse "$@" |
        grep --line-buffered -E 'ae-training|ae-evaluation|ERROR'
}

LOOP=true run train architecture="${ARCHITECTURE:-superres-s}" \
    ${INITIAL:+initial-model="$INITIAL"} patch-size=$PATCH \
    patches-per-frame=64 augment=true shuffle-buffer=8192 \
    learning-rate="${RATE:-0.004}" schedule=cosine max-steps="$STEPS" \
    clip-norm=1 seed=1 checkpoint-interval=10000 resume=true
LOOP=false run held mode=evaluate patch-size=$LEAST patches-per-frame=8
