#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Learns the noise of one camera from its own picture, and removes it meanwhile:
# aetrain target=noisy writes each better model, aedenoise reload=true takes it
# over in the same pipeline. Keep the camera still.
#
#   pipelines/learn-camera.sh [SOURCE [SECONDS [MODEL.onnx]]]
#
# SOURCE: a camera, such as /dev/video0, or a clean clip, which plays again and
# again with noise of a camera of its own (NOISE, as aenoise takes it); default:
# a still of test patterns as a clip. SECONDS: 180. Shows how the loss on
# held-out patches falls, and prints for a clip the PSNR before and after, the
# built-in denoiser's too, with noise of another seed. MODEL.onnx (camera.onnx):
# must not exist. INITIAL (medium): name of the model to begin with; FRAMES
# (150): how much of a clip is used.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"

FROM=${1:-}
TIME=${2:-180}
MODEL=${3:-camera.onnx}
NOISE=${NOISE:-camera:gain=0.004,sd=0.04,spread=1}
INITIAL=${INITIAL:-medium}
FRAMES=${FRAMES:-150}

[ ! -e "$MODEL" ] || die "$MODEL is there already: name another file."
build
make_temporary

# The seconds that have passed, and the loss, with every message of aetrain.
report() {
    local line begun=$SECONDS
    while read -r line; do
        if [[ $line =~ ae-training,.*validation-loss=\(double\)([0-9.e-]+) ]]; then
            echo "$((SECONDS - begun)): loss ${BASH_REMATCH[1]}"
        elif [[ $line == *"Nothing stands still"* || $line == ERROR* ]]; then
            echo "$line" >&2
        fi
    done
}

# learn SINK SOURCE-ELEMENT...
learn() {
    local colour=auto
    [[ $(ae info "$INITIAL") != *'?x6x'* ]] || colour=yuv420
    { timeout --signal=INT "$TIME" gst-launch-1.0 -e -m "${@:2}" ! tee name=t \
        t. ! queue leaky=downstream max-size-buffers=2 ! \
        aetrain task=denoise target=noisy colour=$colour \
        initial-model="$INITIAL" patch-size=64 patches-per-frame=16 \
        batch-size=16 learning-rate=2e-4 clip-norm=1 augment=true \
        shuffle-buffer=512 keep-best=true validate-every=20 \
        checkpoint-interval=50 model-file="$MODEL" \
        checkpoint-file="$TEMPORARY/checkpoint" \
        t. ! queue ! aedenoise model="$INITIAL" model-file="$MODEL" \
        reload=true ! videoconvert ! $1 2>&1 || true; } | report |
        progress Learning '^([0-9]+)(: .*)' "$TIME" >/dev/null
    [ -f "$MODEL" ] || die "No model came out better than $INITIAL."
    echo "model: $MODEL"
}

if [[ $FROM == /dev/* ]]; then
    learn autovideosink v4l2src device="$FROM" ! videoconvert ! \
        video/x-raw,format=I420
    exit
fi

CLIP=$TEMPORARY/clip
if [ -n "$FROM" ]; then
    unpack_clip "$FROM" "$CLIP"
else
    "$ROOT/pipelines/test-scene.sh" "$TEMPORARY/scene.png"
    write_clip "$CLIP" filesrc location="$TEMPORARY/scene.png" ! pngdec ! \
        imagefreeze
fi
PARSE=(rawvideoparse format=i420 width="$WIDTH" height="$HEIGHT" framerate=25/1)
REFERENCE=(filesrc location="$CLIP" ! "${PARSE[@]}")

# PSNR of what ELEMENTS make of the noisy clip: quality NAME ELEMENT...
quality() {
    compare "$1" "$FRAMES" "${REFERENCE[@]}" ! \
        aenoise noise="$NOISE" seed=1000 ! "${@:2}"
    echo "$1 $(compared psnr-mean | cut -c 1-5) dB"
}

echo "clip of ${WIDTH}x$HEIGHT, noise $NOISE"
learn "fakesink sync=true" multifilesrc location="$CLIP" loop=true ! "${PARSE[@]}" ! \
    aenoise noise="$NOISE" seed=1
echo "PSNR $(quality noisy identity)," \
    "$(quality "$INITIAL" aedenoise temporal=false model="$INITIAL")," \
    "$(quality learnt aedenoise temporal=false model-file="$MODEL")"
