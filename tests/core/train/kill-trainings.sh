#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Kills trainings of all kinds at random moments and resumes them: in the end
# model and checkpoint are those of a run that was not killed, and no other file
# is left. Run by hand.
#
#   tests/core/train/kill-trainings.sh AE [KILLS]
#
# AE: the program. KILLS (25): of each of the four kinds.
set -euo pipefail
ae=$(realpath "$1")
kills=${2:-25}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# 4,000 images of 28 x 28 and a label of 0 or 1 for each.
{
    printf '\0\0\10\3\0\0\17\240\0\0\0\34\0\0\0\34'
    { seq 10000000 2>/dev/null || true; } | head -c $((4000 * 784))
} >images.idx
{
    printf '\0\0\10\1\0\0\17\240'
    printf '\0\1%.0s' {1..2000}
} >labels.idx

# train MODEL OPTION...
train() {
    "$ae" train "${@:2}" --epochs=0 --max-steps=60 --labels=labels.idx \
        -o "$1" images.idx >/dev/null
}

# check NAME OPTION...
check() {
    local name=$1 killed=0 process
    train "$name-whole.onnx" "${@:2}"
    while [ "$killed" -lt "$kills" ]; do
        "$ae" train "${@:2}" --epochs=0 --max-steps=60 --labels=labels.idx \
            --checkpoint-interval=1 --resume -o "$name.onnx" images.idx \
            >/dev/null &
        process=$!
        sleep "0.$(printf %03d $((RANDOM % 350 + 30)))"
        if kill -9 $process 2>/dev/null; then
            killed=$((killed + 1))
        else
            rm -f "$name".onnx* # it was through
        fi
        wait $process 2>/dev/null || true
    done
    train "$name.onnx" "${@:2}" --checkpoint-interval=1 --resume
    cmp "$name-whole.onnx" "$name.onnx"
    cmp "$name-whole.onnx.safetensors" "$name.onnx.safetensors"
    echo "$name: $killed kills, the same bytes"
}

check keras --architecture=keras --loss=bce --batch-size=32
check vae --task=vae --conditional --classes=2 --optimizer=rmsprop \
    --batch-size=16
check adversarial --task=adversarial --architecture=linear --latent-size=3 \
    --batch-size=16
check denoise --task=denoise --noise=camera:gain=0.01 --augment \
    --shuffle-buffer=50 --validate-every=7 --optimizer=sgd --batch-size=16
strays=$(find . -name '*.part')
[ -z "$strays" ] || { echo "left: $strays" && exit 1; }
