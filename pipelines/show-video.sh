#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Pictures of what the built-in models do to video, pixel by pixel.
#
#   pipelines/show-video.sh [OUT]
#
# OUT (docs/pictures) gets denoisers.png: each on noise of sigma 25; still.png: a
# ball that crosses a still picture, the frames before used and not, and errors
# eight times as strong; enlarged.png: a picture reduced to half of its size, and
# the same after JPEG, enlarged again. PHOTO: a PNG or JPEG of 512x512; default:
# GStreamer's test patterns.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/pictures.sh"

OUT=${1:-$ROOT/docs/pictures}
mkdir -p "$OUT"
OUT=$(realpath "$OUT")
PHOTO=${PHOTO:+$(realpath "$PHOTO")}
CAPS=video/x-raw,width=256,height=256,framerate=25/1

build
make_temporary
cd "$TEMPORARY"
[ -n "$PHOTO" ] || "$ROOT/pipelines/test-scene.sh" "${PHOTO:=scene.png}"

# The middle of the picture, and the ball.
gst-launch-1.0 -q compositor name=c background=black ! $CAPS ! videoconvert ! \
    video/x-raw,format=I420 ! filesink location=clip \
    filesrc location="$PHOTO" ! decodebin ! videoconvert ! \
    videocrop left=128 right=128 top=128 bottom=128 ! \
    imagefreeze num-buffers=20 ! $CAPS ! c.sink_0 \
    videotestsrc num-buffers=20 pattern=ball background-color=0 ! \
    "$CAPS,format=AYUV" ! c.sink_1

# PICTURE.png of the last frame that ELEMENTS send: last_frame PICTURE ELEMENT...
last_frame() {
    gst-launch-1.0 -q "${@:2}" ! videoconvert ! video/x-raw,format=RGB ! \
        pngenc ! multifilesink location="$1.png"
}

CLIP=(filesrc location=clip ! rawvideoparse format=i420 width=256 height=256
    framerate=25/1)
NOISY=("${CLIP[@]}" ! aenoise noise=gaussian:sd=0.098 seed=1)
last_frame original "${CLIP[@]}"
last_frame noisy "${NOISY[@]}"
last_frame before "${NOISY[@]}" ! aedenoise
for model in light medium strong; do
    last_frame $model "${NOISY[@]}" ! aedenoise model=$model temporal=false
done
draw denoisers grid 1x5 {noisy,light,medium,strong,original}.png \
    --captions "noisy,light,medium,strong,original"

for name in noisy medium before; do
    ae figure difference $name.png original.png -o error-$name.png
done
draw still grid 2x3 {noisy,medium,before}.png \
    error-{noisy,medium,before}.png --captions \
    "noisy,frame by frame,with the frames before"

ae resize 128x128 original.png clean.png
last_frame jpeg filesrc location=clean.png ! pngdec ! jpegenc quality=50 ! jpegdec
for name in clean jpeg; do
    ae resize 256x256 $name.png $name-bicubic.png
    for model in superres2{,-large,-compressed}; do
        last_frame $name-$model filesrc location=$name.png ! pngdec ! \
            videoconvert ! video/x-raw,format=Y444 ! aesuperres model=$model
    done
    cp original.png $name-original.png
done
draw enlarged grid 2x5 \
    {clean,jpeg}-{bicubic,superres2{,-large,-compressed},original}.png \
    --row-captions "clean,JPEG" --captions \
    "bicubic,superres2,superres2-large,superres2-compressed,original"
