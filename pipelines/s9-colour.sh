#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# S9, the lesson's exercise: colour images enlarged 2 and 4 times, after bicubic
# downscaling, by superres-s with three channels (squared error, Adam at 1e-3,
# batches of 128), beside plain ways; and what the model of scale 4 makes of
# noise.
#
#   pipelines/s9-colour.sh [ARCHIVE [EPOCHS [SEEDS [OUT]]]]
#
# ARCHIVE: tar of train/ and test/ with JPEG images of 32 x 32; default: CIFAR-10
# in AE_DATA. The lesson gives no figure.
set -euo pipefail
. "$(dirname "$0")/common.sh"

ARCHIVE=${1:-$AE_DATA/cifar10/cifar10_jpg.tar.xz}
[ -f "$ARCHIVE" ] || die "There is no $ARCHIVE: give an archive of images."

# The images below a folder of the archive as an idx file: unpack FOLDER FILE
unpack() {
    tar xf "$ARCHIVE" --to-stdout --wildcards "*$1/*.jpg" |
        gst-launch-1.0 -q fdsrc ! \
            image/jpeg,width=32,height=32,framerate=30/1 ! jpegdec ! \
            videoconvert ! video/x-raw,format=RGB ! \
            filesink location="$TEMPORARY/raw"
    { idx_header $(($(stat -c %s "$TEMPORARY/raw") / 3072)) 32 32 3 &&
        cat "$TEMPORARY/raw"; } >"$2"
}

begin S9 5 "$@"
echo "published: none"
unpack train "$TEMPORARY/train-images-idx4-ubyte"
unpack test "$TEMPORARY/t10k-images-idx4-ubyte"
for scale in 2 4; do
    echo "$scale times:"
    plain_ways "$TEMPORARY" 3 $scale
    train_seeds "$TEMPORARY" "$EPOCHS" "$SEEDS" "$OUT/s9-$scale" psnr PSNR \
        task=superres scale=$scale architecture=superres-s loss=mse
    show_enlarged "$TEMPORARY" $((32 / scale)) "$OUT/s9-$scale-1.onnx" \
        "$OUT/s9-$scale.png"
done
show_noise "$OUT/s9-4-1.onnx" "$OUT/s9-noise.png"
