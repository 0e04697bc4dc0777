#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Pictures of what the built-in models do to video, pixel by pixel.
#
#   pipelines/show-video.sh [OUT]
#
# OUT (docs/pictures) gets denoisers.png: each on noise of sigma 25; still.png: a
# ball that crosses a still picture, the frames before used and not, and errors
# eight times as strong; enlarged.png: a picture made half as large, and that
# after JPEG, enlarged again. PHOTO: a PNG or JPEG of 512x512; default:
# GStreamer's test patterns.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"

OUT=${1:-$ROOT/docs/pictures}
mkdir -p "$OUT"
OUT=$(realpath "$OUT")
PHOTO=${PHOTO:+$(realpath "$PHOTO")}
FRAMES=20
CLIP=(width=256 height=256 framerate=25/1)
CAPS=video/x-raw,width=256,height=256,framerate=25/1

build
make_temporary
cd "$TEMPORARY"
[ -n "$PHOTO" ] || "$ROOT/pipelines/test-scene.sh" scene.png

# The middle of the picture, and the ball.
gst-launch-1.0 -q compositor name=c background=black ! $CAPS ! videoconvert ! \
    video/x-raw,format=I420 ! filesink location=clip \
    filesrc location="${PHOTO:-scene.png}" ! decodebin ! videoconvert ! \
    videocrop left=128 right=128 top=128 bottom=128 ! \
    imagefreeze num-buffers=$FRAMES ! $CAPS ! c.sink_0 \
    videotestsrc num-buffers=$FRAMES pattern=ball background-color=0 ! \
    "$CAPS,format=AYUV" ! c.sink_1

# play NAME ELEMENT...: NAME.png is what they make of the clip's last frame.
play() {
    local name=$1
    shift
    gst-launch-1.0 -q filesrc location=clip ! rawvideoparse format=i420 \
        "${CLIP[@]}" ! "$@" ! videoconvert ! video/x-raw,format=RGB ! pngenc ! \
        multifilesink location=frame%02d.png
    mv "$(printf 'frame%02d.png' $((FRAMES - 1)))" "$name.png"
}

NOISE=(aenoise noise=gaussian:sd=0.098 seed=1)
MODELS=(light medium strong)
play original identity
play noisy "${NOISE[@]}"
for model in "${MODELS[@]}"; do
    play "$model" "${NOISE[@]}" ! aedenoise model="$model" temporal=false
done
ae figure grid 1x5 noisy.png light.png medium.png strong.png original.png \
    --captions "noisy,light,medium,strong,original" -o "$OUT/denoisers.png"

play before "${NOISE[@]}" ! aedenoise
for name in noisy medium before; do
    ae figure difference $name.png original.png -o error-$name.png
done
ae figure grid 2x3 noisy.png medium.png before.png error-noisy.png \
    error-medium.png error-before.png --captions \
    "noisy,frame by frame,with the frames before" -o "$OUT/still.png"

# enlarge NAME MODEL: NAME-MODEL.png of NAME.png
enlarge() {
    gst-launch-1.0 -q filesrc location="$1.png" ! pngdec ! videoconvert ! \
        video/x-raw,format=Y444 ! aesuperres model="$2" ! videoconvert ! \
        video/x-raw,format=RGB ! pngenc ! filesink location="$1-$2.png"
}

MODELS=(superres2 superres2-large superres2-compressed)
ae resize 128x128 original.png clean.png
gst-launch-1.0 -q filesrc location=clean.png ! pngdec ! jpegenc quality=50 ! \
    jpegdec ! videoconvert ! video/x-raw,format=RGB ! pngenc ! \
    filesink location=jpeg.png
pictures=()
for name in clean jpeg; do
    ae resize 256x256 $name.png $name-bicubic.png
    pictures+=($name-bicubic.png)
    for model in "${MODELS[@]}"; do
        enlarge $name "$model"
        pictures+=("$name-$model.png")
    done
    pictures+=(original.png)
done
ae figure grid 2x5 "${pictures[@]}" --row-captions "clean,JPEG" --captions \
    "bicubic,superres2,superres2-large,superres2-compressed,original" \
    -o "$OUT/enlarged.png"
echo "pictures: $OUT/denoisers.png $OUT/still.png $OUT/enlarged.png"
