#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The main job: denoises a stream with the built-in model.
#
#   pipelines/denoise.sh /dev/videoN   shows the camera, denoised, live
#   pipelines/denoise.sh FILE          shows the video or picture, denoised;
#                                      without a display writes it to out/
#   pipelines/denoise.sh               makes a noisy stream of a photograph from
#                                      the Debian package
#                                      gnome-control-center-data, denoises it,
#                                      prints PSNR, SSIM and the frame rate and
#                                      writes out/denoise.png
#
# SIGMA (levels of 255, default 25), FRAMES (default 60) and PHOTO (a 512x512
# picture) change the stream.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"

PHOTO=${PHOTO:-/usr/share/pixmaps/faces/bicycle.jpg}
SIGMA=${SIGMA:-25}
FRAMES=${FRAMES:-60}
OUT=${OUT:-out}

have_display() { [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }

show_camera() {
    have_display || die "There is no display to show $1 on."
    gst-launch-1.0 v4l2src device="$1" ! videoconvert ! \
        queue leaky=downstream max-size-buffers=2 ! aedenoise ! \
        videoconvert ! autovideosink
}

denoise_file() {
    [ -f "$1" ] || die "There is no file $1."
    local source=(filesrc location="$1" ! decodebin ! videoconvert)
    if have_display; then
        gst-launch-1.0 "${source[@]}" ! aedenoise ! videoconvert ! \
            autovideosink
        return
    fi
    local file=denoised.webm write=(vp8enc deadline=1 cpu-used=8
        target-bitrate=8000000 ! webmmux)
    case ${1,,} in *.png | *.jpg | *.jpeg) file=denoised.png write=(pngenc) ;; esac
    mkdir -p "$OUT"
    gst-launch-1.0 -q "${source[@]}" ! aedenoise ! videoconvert ! \
        "${write[@]}" ! filesink location="$OUT/$file"
    echo "denoised: $OUT/$file"
}

# Sets SOURCE to what reads a file of raw frames: read_frames FILE
read_frames() {
    SOURCE=(filesrc location="$TEMPORARY/$1" !
        rawvideoparse width=512 height=512 format=i420)
}

# How close a file of frames is to the file of clean ones: quality FILE
quality() {
    read_frames clean
    REFERENCE=("${SOURCE[@]}")
    read_frames "$1"
    compare "$1" "$FRAMES" "${SOURCE[@]}"
    printf 'PSNR %5.2f dB, SSIM %.4f\n' "$(compared psnr)" "$(compared ssim)"
}

# The last frame of a file as a picture: draw_last FILE
draw_last() {
    tail -c $((512 * 512 * 3 / 2)) "$TEMPORARY/$1" >"$TEMPORARY/last"
    read_frames last
    gst-launch-1.0 -q "${SOURCE[@]}" ! videoconvert ! pngenc ! \
        filesink location="$TEMPORARY/$1.png"
}

demonstrate() {
    local file seconds noisy denoised
    make_temporary
    mkdir -p "$OUT"
    gst-launch-1.0 -q filesrc location="$PHOTO" ! decodebin ! videoconvert ! \
        video/x-raw,format=I420,colorimetry=bt601 ! \
        imagefreeze num-buffers="$FRAMES" ! tee name=t \
        t. ! queue ! filesink location="$TEMPORARY/clean" \
        t. ! queue ! aenoise noise="$(gaussian "$SIGMA")" seed=1 ! \
        filesink location="$TEMPORARY/noisy"
    read_frames noisy
    seconds=$(gst-launch-1.0 "${SOURCE[@]}" ! aedenoise ! \
        filesink location="$TEMPORARY/denoised" | launch_seconds)
    noisy=$(quality noisy)
    denoised=$(quality denoised)
    echo "stream:   $(compared frames) frames of 512x512 I420, noise of sigma $SIGMA"
    echo "noisy:    $noisy"
    echo "denoised: $denoised"
    echo "speed:    $(awk "BEGIN { printf \"%.1f\", $FRAMES / $seconds }")" \
        "frames/s at 512x512"
    echo "model:    1280x720, one plane: $(ae bench medium --size 1280x720 \
        --seconds 3)"
    for file in noisy denoised clean; do
        draw_last $file
    done
    ae figure grid 1x3 "$TEMPORARY"/{noisy,denoised,clean}.png \
        --captions noisy,denoised,clean -o "$OUT/denoise.png"
    echo "picture:  $OUT/denoise.png: noisy | denoised | clean, the last frame"
}

build
case ${1:-} in
"") demonstrate ;;
/dev/video*) show_camera "$1" ;;
*) denoise_file "$1" ;;
esac
