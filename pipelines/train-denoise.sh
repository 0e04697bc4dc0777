#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Trains a built-in denoiser for 4:2:0 video from natural images, in two parts:
# on independent Gaussian noise of 0 to 55 levels; then further, for one half of
# the patches on such noise of 0 to 75 levels, much of it weak, and for the other
# on that of cameras, which is stronger where it is bright and shared by
# neighbours. Every fifth picture is gray, whose chroma stays without noise: so
# single planes reach the network, those of RGB or 4:4:4 for example.
#
#   pipelines/train-denoise.sh [MODEL.onnx [STEPS [FURTHER]]]
#
# The model of the first part stays beside MODEL.onnx as MODEL-white.onnx.
# ARCHITECTURE (unet-s) and THREADS (0: all) change the run. HELD=true leaves
# every twentieth picture out, and measures on them: to choose between recipes.
# Data, under AE_DATA: train400 and the train folder of BSDS500, nothing else.
# An interrupted run continues when the same command is given again.
set -euo pipefail
. "$(dirname "$0")/common.sh"

MODEL=${1:-denoise.onnx}
STEPS=${2:-70000}
FURTHER=${3:-20000}
WHITE=${MODEL%.onnx}-white.onnx
CAMERAS="gaussian:sd=0..0.2941 | gaussian:sd=0..0.06 | \
camera:gain=0..0.001,sd=0..0.02,spread=0..2 | \
camera:gain=0..0.004,sd=0..0.06,spread=0..2"

[ -f "$AE_DATA/train400/train400.tar" ] ||
    die "No training images in $AE_DATA: set AE_DATA to the folder."
build
make_temporary
cd "$TEMPORARY"
mkdir frames held colour gray
tar xf "$AE_DATA/train400/train400.tar" -C gray
tar xf "$AE_DATA/bsds500/bsds500_jpg.tar" train

# BSDS500's photographs as PNG. Each is about five times the size of a train400
# crop, and seen as often as its colours need.
i=0
find train -name '*.jpg' | sort | while read -r photo; do
    ln "$photo" "$(printf 'colour/%05d.jpg' $i)"
    i=$((i + 1))
done
gst-launch-1.0 -q multifilesrc location=colour/%05d.jpg \
    caps=image/jpeg,framerate=1/1 ! jpegdec ! videoconvert ! \
    video/x-raw,format=RGB ! pngenc ! multifilesink location=colour/%05d.png
i=0 held=0
while read -r picture; do
    if [ "${HELD:-}" = true ] && [[ $picture == *[05]0.png ]]; then
        ln -f "$picture" "$(printf 'held/%05d.png' $held)"
        held=$((held + 1))
    else
        ln "$picture" "$(printf 'frames/%05d.png' $i)"
        i=$((i + 1))
    fi
done < <({
    find gray -name '*.png' | sort
    for _ in 1 2 3 4 5 6 7 8; do find colour -name '*.png' | sort; done
} | awk '{ print (NR * 7919) % 1000003 "\t" $0 }' | sort -n | cut -f 2)
cd "$OLDPWD"

# run FOLDER LOOP MODEL NOISE PROPERTY=VALUE...
run() {
    local folder=$1 loop=$2 model=$3 noise=$4
    shift 4
    gst-launch-1.0 -m multifilesrc location="$TEMPORARY/$folder/%05d.png" \
        loop="$loop" caps=image/png,framerate=1/1 ! pngdec ! videoconvert ! \
        video/x-raw,format=I420 ! aetrain task=denoise colour=yuv420 \
        architecture="${ARCHITECTURE:-unet-s}" model-file="$model" \
        noise="$noise" batch-size=16 patch-size=64 patches-per-frame=16 \
        threads="${THREADS:-0}" "$@" |
        grep --line-buffered -E 'ae-training|ae-evaluation|ERROR'
}

# learn MODEL STEPS NOISE RATE LOSS [PROPERTY=VALUE...]   (of aetrain)
learn() {
    local model=$1 steps=$2 noise=$3 rate=$4 loss=$5
    shift 5
    run frames true "$model" "$noise" optimizer=adam learning-rate="$rate" \
        loss="$loss" schedule=cosine max-steps="$steps" augment=true \
        shuffle-buffer=4096 clip-norm=1 seed=1 checkpoint-interval=1000 \
        resume=true "$@"
}

learn "$WHITE" "$STEPS" gaussian:sd=0..0.2157 0.002 mse
learn "$MODEL" "$FURTHER" "$CAMERAS" 0.001 l1 initial-model="$WHITE"
if [ "${HELD:-}" = true ]; then
    for noise in gaussian:sd=0.098 camera:gain=0.002,sd=0.02,spread=1; do
        echo "held-out pictures, $noise:"
        run held false "$MODEL" "$noise" mode=evaluate seed=2
    done
fi
