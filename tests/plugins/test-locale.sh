#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# On a German desktop, where a decimal point is a comma, elements and commands
# write and read the same files as anywhere else. Skipped, with 77, where the
# locale cannot be made (Debian's package locales has its sources).
#
#   tests/plugins/test-locale.sh AE
ae=$(realpath "$1") || exit 1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

if ! localedef -i de_DE -f UTF-8 "$folder/de_DE.UTF-8" 2>/dev/null; then
    echo "skipped: localedef cannot make de_DE.UTF-8"
    exit 77
fi
unset LC_ALL
german() {
    (
        export LOCPATH="$folder" LC_ALL=de_DE.UTF-8
        "$@"
    )
}
comma=$(german /usr/bin/printf '%.1f' 1 2>/dev/null)
[ "$comma" = 1,0 ] || { echo "the locale does not work: $comma"; exit 1; }

failed=0
fail() {
    echo "$*"
    failed=1
}

{
    printf '\0\0\10\3\0\0\0\50\0\0\0\34\0\0\0\34'
    seq 1000000 | head -c $((40 * 784))
} >images.idx

options='learning-rate=0.0025 clip-norm=1.5 noise=gaussian:sd=0.05..0.25
    latent-noise=0.5 task=denoise batch-size=8'
learn() { # MODEL STEPS
    # shellcheck disable=SC2086 # one word an option
    gst-launch-1.0 -q idxsrc location=images.idx epochs=3 ! \
        aetrain $options resume=true model-file="$1" max-steps="$2"
}
# A run of six steps; and others that go on under another locale.
learn whole.onnx 6 || fail "training fails"
german learn german.onnx 6 || fail "training fails in German"
{ learn to.onnx 3 && german learn to.onnx 6; } || fail "no way to German"
{ german learn from.onnx 3 && learn from.onnx 6; } || fail "no way back"
for name in german to from; do
    { cmp whole.onnx $name.onnx && cmp whole.onnx.safetensors \
        $name.onnx.safetensors; } || fail "$name: another model"
done

same() { # COMMAND...: prints and writes the same
    rm -f out
    "$@" >text 2>&1 || fail "fails: $*"
    [ ! -f out ] || mv out out-c
    german "$@" >text-german 2>&1 || fail "fails in German: $*"
    cmp text text-german || fail "prints something else: $*"
    [ ! -f out ] || cmp out out-c || fail "writes something else: $*"
}
launch() {
    same gst-launch-1.0 -q "$@"
}
same "$ae" info whole.onnx
same "$ae" train --help
same sh -c "'$ae' train --task=denoise --noise=gaussian:sd=0.1 \
    --learning-rate=0.002 --max-steps=2 -o out images.idx >/dev/null 2>&1"
same "$ae" new vae --seed 3 -o vae.onnx
same "$ae" embed vae.onnx images.idx -o out
same "$ae" error whole.onnx images.idx
frames='videotestsrc num-buffers=2 ! video/x-raw,width=64,height=48,format=RGB'
# shellcheck disable=SC2086 # the words of a pipeline
{
    launch $frames ! aenoise noise=gaussian:sd=0.125 ! filesink location=out
    launch $frames ! aedenoise strength=0.75 sigma=2.5 ! \
        filesink location=out
    launch vaesample num-buffers=3 temperature=0.5 ! filesink location=out
    launch idxsrc location=images.idx ! aeencode model-file=vae.onnx ! \
        filesink location=out
    launch idxsrc location=images.idx ! aeencode model-file=vae.onnx ! \
        aedecode model-file=vae.onnx ! filesink location=out
}
exit $failed
