#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Trains a built-in model that enlarges luma, from natural images and what
# bicubic downscaling leaves of them; then measures it on every twentieth image,
# which training does not see. The images to learn from are first made 0.4, 0.5
# and 0.6 times as large: they are then sharp to the pixel, and without the marks
# of JPEG. Mosaics, as sharp as text and other graphics, are added: without
# them, a large network makes of black dots on white whatever it likes.
#
#   pipelines/train-superres.sh SCALE [MODEL.onnx [STEPS]]
#
# SCALE: 2, 3 or 4. Data, under AE_DATA: t91 and the train and test folders of
# BSDS500. A run that was interrupted continues when the same command is given
# again. ARCHITECTURE (superres-s), RATE (0.004), NOISE (of the small image, as
# aenoise takes it; none), INITIAL, a model (of another scale, too) whose weights
# are taken where they fit, and THREADS (0: all) change the run.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/data.sh"

SCALE=${1:-}
MODEL=${2:-superres$SCALE.onnx}
STEPS=${3:-320000}
LEAST=96 # pixels of a side: smaller images are left out

case $SCALE in 2 | 3 | 4) ;; *) die "usage: $0 2|3|4 [MODEL.onnx [STEPS]]" ;; esac
PATCH=$((16 * SCALE)) # pixels of a side, enlarged
need_data t91/t91.tar
need_data bsds500/bsds500_jpg.tar
build
make_temporary

# Luma by BT.601 of all pictures below the folder SUFFIX, as PNG: of RGB in the
# studio range, of JPEG as it is, in the full range: to_luma SUFFIX
to_luma() {
    find "$1" -name "*.$1" | sort | link_numbered "$1/%05d.$1"
    read_pictures "$1/%05d.$1"
    gst-launch-1.0 -q "${SOURCE[@]}" ! videoconvert dither=none ! \
        video/x-raw,format=GRAY8,colorimetry=bt601 ! pngenc ! \
        multifilesink location="luma/$1%05d.png"
}

cd "$TEMPORARY"
mkdir png jpg luma small train held
tar xf "$AE_DATA/t91/t91.tar" -C png
tar xf "$AE_DATA/bsds500/bsds500_jpg.tar" -C jpg train test
to_luma png
to_luma jpg
seen=0
for picture in $(printf '%s\n' luma/* | mixed | at_least $LEAST); do
    seen=$((seen + 1))
    if [ $((seen % 20)) -eq 0 ]; then
        echo "$picture" >>held.txt
        continue
    fi
    for percent in 40 50 60; do
        width=$(($(png_side "$picture" 16) * percent / 100))
        height=$(($(png_side "$picture" 20) * percent / 100))
        ae resize "${width}x$height" "$picture" \
            "$(printf 'small/%05d-%d.png' $seen $percent)"
    done
done
link_numbered held/%05d.png <held.txt
mosaics small 2 3 4 6 8
printf '%s\n' small/* | mixed | at_least $PATCH | link_numbered train/%05d.png
cd "$OLDPWD"

TASK=(task=superres scale="$SCALE" downscale=bicubic noise="${NOISE:-none}"
    loss=mse)
train_pictures "$TEMPORARY/train/%05d.png" "$MODEL" "$STEPS" "${TASK[@]}" \
    architecture="${ARCHITECTURE:-superres-s}" patch-size=$PATCH \
    patches-per-frame=64 shuffle-buffer=8192 learning-rate="${RATE:-0.004}" \
    checkpoint-interval=10000
read_pictures "$TEMPORARY/held/%05d.png"
launch "held-out images" images $((8 * COUNT)) "$MODEL.test" "${SOURCE[@]}" ! \
    aetrain "${TASK[@]}" model-file="$MODEL" batch-size=8 mode=evaluate \
    patch-size=$LEAST patches-per-frame=8
echo "PSNR of $COUNT held-out images:" \
    "$(message_field "$MODEL.test" ae-evaluation psnr)"
