#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Trains the built-in denoiser from natural images, in two parts: on independent
# Gaussian noise of 0 to 55 levels; then further, for one half of the patches on
# such noise of 0 to 75 levels, much of it weak, and for the other on that of
# cameras, which is stronger where it is bright and shared by neighbours.
#
#   pipelines/train-denoise.sh [MODEL.onnx [STEPS [FURTHER]]]
#
# The model of the first part stays beside MODEL.onnx as MODEL-white.onnx.
# ARCHITECTURE (unet-s) and THREADS (0: all) change the run.
# Data, under AE_DATA: train400 and the train folder of BSDS500, nothing else.
# An interrupted run continues when the same command is given again.
set -euo pipefail
. "$(dirname "$0")/common.sh"

MODEL=${1:-denoise.onnx}
STEPS=${2:-70000}
FURTHER=${3:-20000}
WHITE=${MODEL%.onnx}-white.onnx

[ -f "$AE_DATA/train400/train400.tar" ] ||
    die "No training images in $AE_DATA: set AE_DATA to the folder."
build
make_temporary
cd "$TEMPORARY"
mkdir frames gray train400
tar xf "$AE_DATA/train400/train400.tar" -C train400
tar xf "$AE_DATA/bsds500/bsds500_jpg.tar"

# BSDS500's photographs as gray PNG; each is about five times the size of a
# train400 crop and is therefore seen more often.
i=0
find train -name '*.jpg' | sort | while read -r photo; do
    ln "$photo" "$(printf 'gray/%05d.jpg' $i)"
    i=$((i + 1))
done
gst-launch-1.0 -q multifilesrc location=gray/%05d.jpg \
    caps=image/jpeg,framerate=1/1 ! jpegdec ! videoconvert ! \
    video/x-raw,format=GRAY8 ! pngenc ! multifilesink location=gray/%05d.png
{
    find train400 -name '*.png' | sort
    for _ in 1 2 3; do find gray -name '*.png' | sort; done
} | awk '{ print (NR * 7919) % 1000003 "\t" $0 }' | sort -n | cut -f 2 >list
i=0
while read -r picture; do
    ln "$picture" "$(printf 'frames/%05d.png' $i)"
    i=$((i + 1))
done <list
cd "$OLDPWD"

# learn MODEL STEPS NOISE RATE LOSS [PROPERTY=VALUE...]   (of aetrain)
learn() {
    local model=$1 steps=$2 noise=$3 rate=$4 loss=$5
    shift 5
    gst-launch-1.0 -m multifilesrc location="$TEMPORARY/frames/%05d.png" \
        loop=true caps=image/png,framerate=1/1 ! pngdec ! \
        aetrain task=denoise architecture="${ARCHITECTURE:-unet-s}" \
        model-file="$model" threads="${THREADS:-0}" \
        noise="$noise" loss="$loss" optimizer=adam learning-rate="$rate" \
        schedule=cosine max-steps="$steps" batch-size=16 patch-size=64 \
        patches-per-frame=16 augment=true shuffle-buffer=4096 clip-norm=1 \
        seed=1 checkpoint-interval=2000 resume=true "$@" |
        grep --line-buffered -E 'ae-training|ERROR'
}

learn "$WHITE" "$STEPS" gaussian:sd=0..0.2157 0.002 mse
learn "$MODEL" "$FURTHER" "gaussian:sd=0..0.2941 | gaussian:sd=0..0.06 | \
camera:gain=0..0.001,sd=0..0.02,spread=0..2 | \
camera:gain=0..0.004,sd=0..0.06,spread=0..2" 0.001 l1 initial-model="$WHITE"
