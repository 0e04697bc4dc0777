#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Trains a built-in denoiser from natural images, for one half of the patches on
# independent Gaussian noise of 0 to 75 levels, some of it weak, for the others
# on that of cameras: stronger where it is bright, shared by neighbours as
# demosaicing shares it, of pictures as soft, and for two thirds of them what
# JPEG leaves of it. Beside the images are pictures as sharp as text and other
# graphics.
#
#   pipelines/train-denoise.sh [MODEL.onnx [STEPS]]
#
# COLOUR: gray (a plane by itself; the default), yuv420 or rgb (together what
# such video has). ARCHITECTURE (unet-s), RATE (0.002), THREADS (0: all) and
# INITIAL, a model whose weights are taken where they fit, change the run. Data,
# under AE_DATA: the train and test folders of BSDS500; for gray luma, and one
# plane of chroma for every four of luma, of the half of them at half of the
# size, mosaics and pages of text; for rgb also their halves, whose colours are
# as sharp as their luma, and t91. An interrupted run continues when the same
# command is given again.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"

MODEL=${1:-denoise.onnx}
STEPS=${2:-120000}
COLOUR=${COLOUR:-gray}

case $COLOUR in gray | yuv420 | rgb) ;; *) die "COLOUR: gray, yuv420 or rgb" ;; esac
[ -f "$AE_DATA/bsds500/bsds500_jpg.tar" ] ||
    die "No training images in $AE_DATA: set AE_DATA to the folder."
build gstreamer1.0-x fonts-dejavu-core
make_temporary

# read_photos FOLDER: how a pipeline that decodes its numbered photographs begins.
read_photos() {
    echo multifilesrc location="$1/%05d.jpg" \
        caps=image/jpeg,framerate=1/1 ! jpegdec
}

# to_png FROM TO ELEMENT...: the photographs of a folder as PNG in another.
to_png() {
    local from=$1 to=$2
    shift 2
    mkdir -p "$to"
    gst-launch-1.0 -q $(read_photos "$from") ! "$@" ! pngenc ! \
        multifilesink location="$to/%05d.png"
}

# chroma_of FOLDER FORMAT WIDTH HEIGHT COLUMNS ROWS: the two planes of chroma
# that its photographs have in this format, cut to WIDTH x HEIGHT pixels.
chroma_of() {
    local folder=$1 format=$2 luma=$(($3 * $4)) columns=$5 rows=$6 plane
    local chroma=$((columns * rows))
    mkdir -p chroma
    gst-launch-1.0 -q $(read_photos "$folder") ! videocrop right=1 bottom=1 ! \
        videoconvert ! video/x-raw,format="$format",width="$3",height="$4" ! \
        filesink location=raw
    for plane in 0 1; do
        gst-launch-1.0 -q filesrc location=raw ! rawvideoparse format=gray8 \
            width="$columns" height="$rows" frame-size=$((luma + 2 * chroma)) \
            plane-offsets="<$((luma + plane * chroma))>" \
            plane-strides="<$columns>" framerate=1/1 ! pngenc ! \
            multifilesink location="chroma/$folder-$format-$plane-%05d.png"
    done
}

# Sorts the photographs, which luma/ holds as PNG, into landscape and portrait.
sort_by_shape() {
    local picture shape
    for picture in luma/*; do
        [ "$(png_side "$picture" 16)" -eq 481 ] && echo landscape ||
            echo portrait
    done >shapes
    for shape in landscape portrait; do
        paste shapes <(ls photos) | sed -n "s|^$shape\t|photos/|p" |
            link_numbered $shape .jpg
    done
}

# half_of FOLDER WIDTH HEIGHT: its photographs, made small.
half_of() {
    to_png "$1" "half/$1" videoconvert ! videoscale method=lanczos ! \
        video/x-raw,format=RGB,width="$2",height="$3"
}

# A page of text, from the NUMBERth place of a long one on, as computers draw it
# in SIZE pixels: page NUMBER FONT SIZE LEVEL-OF-PAPER LEVEL-OF-INK
page() {
    local rgb=65793 # a level of all three
    gst-launch-1.0 -q videotestsrc pattern=solid-color num-buffers=1 \
        foreground-color=$((0xff000000 + $4 * rgb)) ! \
        video/x-raw,format=BGRx,width=240,height=240 ! \
        textoverlay text="$(tail -c +$(($1 * 240)) "$ROOT/LICENSE" |
            head -c 2000 | tr -cs 'A-Za-z0-9.,' ' ')" \
        font-desc="$2 $3px" auto-resize=false color=$((0xff000000 + $5 * rgb)) \
        draw-shadow=false draw-outline=false halignment=left valignment=top \
        xpad=4 ypad=4 ! videoconvert ! video/x-raw,format=GRAY8 ! pngenc ! \
        filesink location="graphics/page-$1.png"
}

# Pages dark on light and light on dark.
draw_pages() {
    local paper ink font size number=0
    while read -r paper ink; do
        for font in Sans Serif Monospace; do
            for size in 9 11 13 16 20 28 44; do
                number=$((number + 1))
                page $number $font $size "$paper" "$ink"
            done
        done
    done <<<"255 0
        0 255
        235 16
        16 235
        90 190"
}

# What to train on, a line a file.
list_frames() {
    case $COLOUR in
    gray)
        mosaics graphics 1 2 3 4 6 8 16 32
        draw_pages
        chroma_of landscape I420 480 320 240 160
        chroma_of portrait I420 320 480 160 240
        chroma_of landscape Y444 480 320 480 320
        chroma_of portrait Y444 320 480 320 480
        for _ in 1 2 3 4; do find luma -name '*.png' | sort; done
        find chroma -name '*.png' | sort | awk 'NR % 4 == 1'
        find graphics -name '*.png' | sort
        find graphics -name 'mosaic*.png' | sort # so twice
        ;;
    yuv420) find photos -name '*.jpg' | sort ;;
    rgb)
        to_png photos whole videoconvert ! video/x-raw,format=RGB
        half_of landscape 240 160
        half_of portrait 160 240
        tar xf "$AE_DATA/t91/t91.tar" -C t91
        for _ in 1 2; do find whole half -name '*.png' | sort; done
        find t91 -name '*.png' | sort | at_least 96
        ;;
    esac
}

cd "$TEMPORARY"
mkdir photos landscape portrait t91 frames graphics
tar xf "$AE_DATA/bsds500/bsds500_jpg.tar"
link_numbered photos .jpg < <(find train test -name '*.jpg' | sort)
if [ "$COLOUR" != yuv420 ]; then
    to_png photos luma videoconvert ! video/x-raw,format=GRAY8
    sort_by_shape
fi
list_frames | mixed | link_numbered frames ""
cd "$OLDPWD"

case $COLOUR in
yuv420) READ=(caps=image/jpeg,framerate=1/1 ! jpegdec) ;;
*) READ=(caps=image/png,framerate=1/1 ! pngdec) ;;
esac
gst-launch-1.0 -m multifilesrc location="$TEMPORARY/frames/%05d" loop=true \
    "${READ[@]}" ! aetrain task=denoise \
    colour="$([ "$COLOUR" = yuv420 ] && echo yuv420 || echo auto)" \
    architecture="${ARCHITECTURE:-unet-s}" ${INITIAL:+initial-model="$INITIAL"} \
    model-file="$MODEL" threads="${THREADS:-0}" \
    noise="gaussian:sd=0..0.2941 | \
gaussian:sd=0..0.2941 | gaussian:sd=0..0.06 | \
camera:gain=0..0.001,sd=0..0.02,spread=0..1.5,soft=0..1.6,quality=70..100 | \
camera:gain=0..0.004,sd=0..0.06,spread=0..1.5,soft=0..1.6,quality=70..100 | \
camera:gain=0..0.004,sd=0..0.06,spread=0..1.5,soft=0..1.6" \
    learning-rate="${RATE:-0.002}" schedule=cosine max-steps="$STEPS" \
    batch-size=8 patch-size=64 patches-per-frame=16 augment=true \
    shuffle-buffer=2048 clip-norm=1 seed=1 checkpoint-interval=1000 \
    resume=true | grep --line-buffered -E 'ae-training|ERROR'
