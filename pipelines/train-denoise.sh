#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Trains a built-in denoiser of single planes from natural images: one half of the
# patches has independent Gaussian noise of 0 to 75 levels, some of it weak; the
# others have the noise of cameras, which is stronger where it is bright, and
# shared by neighbours as demosaicing shares it, in pictures as soft; two thirds
# of these are then compressed by JPEG. Pages of text and mosaics are added.
#
#   pipelines/train-denoise.sh [MODEL.onnx [STEPS]]
#
# ARCHITECTURE (unet-s), RATE (0.002), THREADS (0: all) and INITIAL, a model whose
# weights are taken where they fit, change the run. Data, under AE_DATA: the train
# and test folders of BSDS500. A run that was interrupted continues when the same
# command is given again.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"

MODEL=${1:-denoise.onnx}
STEPS=${2:-120000}
need_data bsds500/bsds500_jpg.tar
build gstreamer1.0-x fonts-dejavu-core
make_temporary

# The two planes of chroma of photographs in a format, cut to WIDTH x HEIGHT
# pixels: chroma_of FOLDER FORMAT WIDTH HEIGHT COLUMNS ROWS
chroma_of() {
    local luma=$(($3 * $4)) chroma=$(($5 * $6)) plane
    read_pictures "$1/%05d.jpg"
    gst-launch-1.0 -q "${SOURCE[@]}" ! videocrop right=1 bottom=1 ! \
        videoconvert ! video/x-raw,format="$2",width="$3",height="$4" ! \
        filesink location=raw
    for plane in 0 1; do
        gst-launch-1.0 -q filesrc location=raw ! rawvideoparse format=gray8 \
            width="$5" height="$6" frame-size=$((luma + 2 * chroma)) \
            plane-offsets="<$((luma + plane * chroma))>" \
            plane-strides="<$5>" framerate=1/1 ! pngenc ! \
            multifilesink location="chroma/$1-$2-$plane-%05d.png"
    done
}

# Makes luma/ of the photographs as PNG, and sorts these into landscape/ and
# portrait/.
sort_photos() {
    local picture shape
    read_pictures photos/%05d.jpg
    gst-launch-1.0 -q "${SOURCE[@]}" ! videoconvert ! \
        video/x-raw,format=GRAY8 ! pngenc ! multifilesink location=luma/%05d.png
    for picture in luma/*; do
        [ "$(png_side "$picture" 16)" -eq 481 ] && echo landscape ||
            echo portrait
    done >shapes
    for shape in landscape portrait; do
        paste shapes <(ls photos) | sed -n "s|^$shape\t|photos/|p" |
            link_numbered $shape/%05d.jpg
    done
}

# Pages of text as computers draw it, dark on light and light on dark, each from
# another place of a long text on.
draw_pages() {
    local levels font size number=0 rgb=65793 # a level of all three
    for levels in "255 0" "0 255" "235 16" "16 235" "90 190"; do
        for font in {Sans,Serif,Monospace}" "{9,11,13,16,20,28,44}px; do
            number=$((number + 1))
            gst-launch-1.0 -q videotestsrc pattern=solid-color num-buffers=1 \
                foreground-color=$((0xff000000 + ${levels% *} * rgb)) ! \
                video/x-raw,format=BGRx,width=240,height=240 ! \
                textoverlay text="$(tail -c +$((number * 240)) "$ROOT/LICENSE" |
                    head -c 2000 | tr -cs 'A-Za-z0-9.,' ' ')" \
                font-desc="$font" auto-resize=false \
                color=$((0xff000000 + ${levels#* } * rgb)) draw-shadow=false \
                draw-outline=false halignment=left valignment=top \
                xpad=4 ypad=4 ! videoconvert ! video/x-raw,format=GRAY8 ! \
                pngenc ! filesink location="graphics/page-$number.png"
        done
    done
}

cd "$TEMPORARY"
mkdir photos luma chroma landscape portrait graphics frames
tar xf "$AE_DATA/bsds500/bsds500_jpg.tar"
find train test -name '*.jpg' | sort | link_numbered photos/%05d.jpg
sort_photos
mosaics graphics 1 2 3 4 6 8 16 32
draw_pages
chroma_of landscape I420 480 320 240 160
chroma_of portrait I420 320 480 160 240
chroma_of landscape Y444 480 320 480 320
chroma_of portrait Y444 320 480 320 480
{
    for _ in 1 2 3 4; do find luma -name '*.png' | sort; done
    find chroma -name '*.png' | sort | awk 'NR % 4 == 1'
    find graphics -name '*.png' | sort
    find graphics -name 'mosaic*.png' | sort # so twice
} | mixed | link_numbered frames/%05d.png
cd "$OLDPWD"

CAMERA=spread=0..1.5,soft=0..1.6
train_pictures "$TEMPORARY/frames/%05d.png" "$MODEL" "$STEPS" task=denoise \
    architecture="${ARCHITECTURE:-unet-s}" learning-rate="${RATE:-0.002}" \
    noise="gaussian:sd=0..0.2941 | \
gaussian:sd=0..0.2941 | gaussian:sd=0..0.06 | \
camera:gain=0..0.001,sd=0..0.02,$CAMERA,quality=70..100 | \
camera:gain=0..0.004,sd=0..0.06,$CAMERA,quality=70..100 | \
camera:gain=0..0.004,sd=0..0.06,$CAMERA" \
    patch-size=64 patches-per-frame=16 shuffle-buffer=2048 \
    checkpoint-interval=1000
