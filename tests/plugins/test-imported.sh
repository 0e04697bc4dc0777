#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Elements run the models that `ae import` makes of shared weights: aesuperres
# enlarges frames, and the halves of an autoencoder make whole frames of codes.
#
#   tests/plugins/test-imported.sh AE FOLDER
#
# FOLDER: weights of small networks.
ae=$(realpath "$1") || exit 1
weights=$(realpath "$2") || exit 1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

# run NAME BYTES ELEMENT...: the model of NAME makes BYTES of two RGB frames of
# 20 x 12, and not of one value alone.
run() {
    name=$1 bytes=$2
    shift 2
    "$ae" import "$weights/valid-$name.safetensors" -o "$name.onnx" &&
        gst-launch-1.0 -q videotestsrc num-buffers=2 ! \
            video/x-raw,format=RGB,width=20,height=12 ! "$@" ! \
            filesink location=frames &&
        [ "$(wc -c <frames)" -eq "$bytes" ] &&
        [ "$(od -An -v -tu1 -w1 frames | sort -u | wc -l)" -gt 9 ] ||
        { echo "$name: does not run"; failed=1; }
}

run srvgg-f16 5760 aesuperres model-file=srvgg-f16.onnx
run span-bf16 5760 aesuperres model-file=span-bf16.onnx
run taesd 1440 aeencode model-file=taesd.onnx ! aedecode model-file=taesd.onnx
exit $failed
