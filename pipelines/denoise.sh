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
    mkdir -p "$OUT"
    case ${1,,} in
    *.png | *.jpg | *.jpeg)
        gst-launch-1.0 -q "${source[@]}" ! aedenoise ! videoconvert ! \
            pngenc ! filesink location="$OUT/denoised.png"
        echo "picture: $OUT/denoised.png"
        ;;
    *)
        gst-launch-1.0 -q "${source[@]}" ! aedenoise ! videoconvert ! \
            vp8enc deadline=1 cpu-used=8 target-bitrate=8000000 ! webmmux ! \
            filesink location="$OUT/denoised.webm"
        echo "video: $OUT/denoised.webm"
        ;;
    esac
}

# gst-launch-1.0 on FRAMES frames of the photograph, clean, noisy and denoised:
# make_stream BRANCHES... from tees of these names.
make_stream() {
    gst-launch-1.0 -m filesrc location="$PHOTO" ! decodebin ! videoconvert ! \
        video/x-raw,format=I420,colorimetry=bt601 ! \
        imagefreeze num-buffers="$FRAMES" ! tee name=clean \
        clean. ! queue ! aenoise noise="$(gaussian "$SIGMA")" seed=1 ! \
        tee name=noisy noisy. ! queue ! aedenoise ! tee name=denoised \
        "$@" >"$TEMPORARY/log" || die "$(grep ERROR "$TEMPORARY/log")"
}

# All frames compared with the clean ones; the noisy ones are kept, and the last
# of each kind.
compare_photo() {
    local kind branches=()
    for kind in clean noisy denoised; do
        branches+=("$kind." ! queue ! multifilesink max-files=1
            location="$TEMPORARY/$kind-%05d")
    done
    make_stream "${branches[@]}" \
        noisy. ! queue ! before.sink clean. ! queue ! before.reference \
        aecompare name=before messages=false ! fakesink sync=false \
        denoised. ! queue ! after.sink clean. ! queue ! after.reference \
        aecompare name=after messages=false ! fakesink sync=false \
        noisy. ! queue ! filesink location="$TEMPORARY/noisy.i420"
}

# The frames that were kept last, as pictures.
make_pictures() {
    local kind
    for kind in clean noisy denoised; do
        gst-launch-1.0 -q filesrc location="$(echo "$TEMPORARY/$kind"-*)" ! \
            rawvideoparse width=512 height=512 format=i420 ! videoconvert ! \
            pngenc ! filesink location="$TEMPORARY/$kind.png"
    done
}

# quality ELEMENT
quality() {
    local message="element \"$1\".*ae-compare-total"
    printf 'PSNR %5.2f dB, SSIM %.4f\n' \
        "$(message_field "$TEMPORARY/log" "$message" psnr)" \
        "$(message_field "$TEMPORARY/log" "$message" ssim)"
}

# frames ELEMENT: how many it compared.
frames() {
    message_field "$TEMPORARY/log" "element \"$1\".*ae-compare-total" frames
}

# Frames a second of aedenoise on the noisy stream, read from a file.
frame_rate() {
    local seconds
    seconds=$(gst-launch-1.0 filesrc location="$TEMPORARY/noisy.i420" ! \
        rawvideoparse width=512 height=512 format=i420 ! aedenoise ! \
        fakesink sync=false | launch_seconds)
    awk "BEGIN { printf \"%.1f\n\", $FRAMES / $seconds }"
}

demonstrate() {
    make_temporary
    mkdir -p "$OUT"
    compare_photo
    make_pictures
    echo "stream: $(frames after) frames of 512x512 I420, noise of sigma $SIGMA"
    echo "noisy:    $(quality before)"
    echo "denoised: $(quality after)"
    echo "speed:    $(frame_rate) frames/s at 512x512"
    echo "model:    1280x720, one plane: $(ae bench medium --size 1280x720 \
        --seconds 3)"
    ae figure grid 1x3 "$TEMPORARY/noisy.png" "$TEMPORARY/denoised.png" \
        "$TEMPORARY/clean.png" --captions noisy,denoised,clean \
        -o "$OUT/denoise.png"
    echo "picture:  $OUT/denoise.png: noisy | denoised | clean, the last frame"
}

build
case ${1:-} in
"") demonstrate ;;
/dev/video*) show_camera "$1" ;;
*) denoise_file "$1" ;;
esac
