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
# a still of test patterns as a clip. SECONDS: 180. Prints how the loss on
# held-out patches falls, and for a clip the PSNR before and after, the built-in
# denoiser's too, with noise of another seed. MODEL.onnx (camera.onnx): must not
# exist. INITIAL (medium): name of the model to begin with; FRAMES (150): how
# much of a clip is used.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"

SOURCE=${1:-}
TIME=${2:-180}
MODEL=${3:-camera.onnx}
NOISE=${NOISE:-camera:gain=0.004,sd=0.04,spread=1}
INITIAL=${INITIAL:-medium}
FRAMES=${FRAMES:-150}

[ ! -e "$MODEL" ] || die "$MODEL is there already: name another file."
build
make_temporary

[[ $(ae info "$INITIAL") == *'?x6x'* ]] && COLOUR=yuv420 || COLOUR=auto
LEARN=(aetrain task=denoise target=noisy colour=$COLOUR
    initial-model="$INITIAL" patch-size=64 patches-per-frame=16 batch-size=16
    learning-rate=2e-4 clip-norm=1 augment=true shuffle-buffer=512
    keep-best=true validate-every=20 checkpoint-interval=50
    model-file="$MODEL" checkpoint-file="$TEMPORARY/checkpoint")

# What aetrain says, every ten seconds.
progress() {
    awk -F '[=,)]+' '/ae-training/ && /validation/ && systime() >= next_time {
        for (i = 1; i <= NF; i++) {
            if ($i ~ /^ step$/) step = $(i + 2)
            if ($i ~ /^ validation-loss$/) loss = $(i + 2)
        }
        printf "step %d: loss on held-out patches %.3e\n", step, loss
        fflush()
        next_time = systime() + 10
    }
    /Nothing stands still|^ERROR/'
}

# learn SOURCE-ELEMENT...
learn() {
    timeout --signal=INT "$TIME" gst-launch-1.0 -e -m "$@" ! tee name=t \
        t. ! queue leaky=downstream max-size-buffers=2 ! "${LEARN[@]}" \
        t. ! queue ! aedenoise model="$INITIAL" model-file="$MODEL" \
        reload=true ! videoconvert ! "${SINK[@]}" 2>&1 | progress || true
    [ -f "$MODEL" ] || die "No model came out better than $INITIAL."
    echo "model: $MODEL"
}

if [[ $SOURCE == /dev/* ]]; then
    SINK=(autovideosink)
    learn v4l2src device="$SOURCE" ! videoconvert ! video/x-raw,format=I420
    exit
fi

CLIP=$TEMPORARY/clip
if [ -n "$SOURCE" ]; then
    unpack_clip "$SOURCE" "$CLIP"
else
    "$ROOT/pipelines/test-scene.sh" "$TEMPORARY/scene.png"
    write_clip "$CLIP" filesrc location="$TEMPORARY/scene.png" ! pngdec ! \
        imagefreeze
fi
PARSE=(rawvideoparse format=i420 width="$WIDTH" height="$HEIGHT" framerate=25/1)
PLAY=(multifilesrc location="$CLIP" loop=true ! "${PARSE[@]}")
echo "clip of ${WIDTH}x$HEIGHT, noise $NOISE"

# measured ELEMENT...: PSNR of what they make of the noisy clip.
measured() {
    gst-launch-1.0 -m filesrc location="$CLIP" ! "${PARSE[@]}" ! tee name=t \
        t. ! queue ! aenoise noise="$NOISE" seed=1000 ! "$@" ! c.sink \
        t. ! queue ! c.reference \
        aecompare name=c messages=false ! fakesink sync=false \
        >"$TEMPORARY/log" || die "$(grep ERROR "$TEMPORARY/log")"
    message_field "$TEMPORARY/log" ae-compare-total psnr-mean | cut -c 1-5
}

SINK=(fakesink sync=true)
learn "${PLAY[@]}" ! aenoise noise="$NOISE" seed=1
noisy=$(measured identity)
before=$(measured aedenoise temporal=false model="$INITIAL")
learnt=$(measured aedenoise temporal=false model-file="$MODEL")
echo "PSNR noisy $noisy dB, $INITIAL $before dB, learnt $learnt dB"
