#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command `ae train` and the pipeline `idxsrc ! aetrain` with the same
# options write the same bytes.
#
#   tests/plugins/test-train.sh AE
ae=$(realpath "$1") || exit 1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

# 40 images of 28 x 28 and a label of 0 or 1 for each.
{
    printf '\0\0\10\3\0\0\0\50\0\0\0\34\0\0\0\34'
    seq 1000000 | head -c $((40 * 784))
} >images.idx
{
    printf '\0\0\10\1\0\0\0\50'
    for _ in $(seq 20); do printf '\0\1'; done
} >labels.idx

failed=0
compare() { # NAME, then the options as properties
    name=$1
    shift
    options=
    for property; do
        case $property in
        *=true) options="$options --${property%=true}" ;;
        *) options="$options --$property" ;;
        esac
    done
    # shellcheck disable=SC2086 # one word an option
    "$ae" train -o "$name-a.onnx" --labels=labels.idx --epochs=3 --shuffle \
        $options images.idx >/dev/null &&
        gst-launch-1.0 -q idxsrc location=images.idx seed=1 epochs=3 \
            labels-location=labels.idx shuffle=true ! \
            aetrain model-file="$name-b.onnx" "$@" &&
        cmp "$name-a.onnx" "$name-b.onnx" &&
        cmp "$name-a.onnx.safetensors" "$name-b.onnx.safetensors" ||
        { echo "$name: differs"; failed=1; }
}

compare keras batch-size=16 loss=bce threads=2
compare denoise task=denoise noise=gaussian:sd=0..0.2 augment=true \
    shuffle-buffer=9 batch-size=8 validate-every=5
compare vae task=vae conditional=true classes=2 batch-size=16
compare patches task=superres architecture=superres-s patch-size=16 \
    patches-per-frame=2 batch-size=4 max-steps=20
exit $failed
