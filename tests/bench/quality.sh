# SPDX-License-Identifier: LGPL-2.1-or-later
# The built-in denoisers beside BM3D and others on the same noisy files; sourced
# by run.sh.

# Sends the numbered pictures PREFIX of a folder through ELEMENTS into pictures
# of the prefix NAME: pass FOLDER PREFIX NAME ELEMENT...
pass() {
    local folder=$1 prefix=$2 name=$3
    shift 3
    gst-launch-1.0 -q multifilesrc location="$folder/$prefix%03d.png" \
        start-index=1 caps=image/png,framerate=1/1 ! pngdec ! videoconvert ! \
        video/x-raw,format="${FORMAT:-GRAY8}" ! "$@" ! videoconvert ! pngenc ! \
        multifilesink index=1 location="$folder/$name%03d.png"
}

# compare_pictures FOLDER SIGMA...: what the models and the peers make of
# noisyNNN.png, beside testNNN.png.
compare_pictures() {
    local folder=$1 model
    shift
    for model in $MODELS; do
        pass "$folder" noisy "$model" aedenoise temporal=false model="$model"
    done
    # shellcheck disable=SC2086
    python "$HERE/quality.py" "$folder" "$(IFS=,; echo "$*")" $MODELS
}

# compare_noisy FOLDER SIGMA: the same with noise of SIGMA.
compare_noisy() {
    pass "$1" test noisy aenoise seed=1 noise="$(gaussian "$2")"
    compare_pictures "$1" "$2"
}

fetch_bm3d() {
    fetch_peers
    "$ENVIRONMENT/bin/pip" install --quiet bm3d 'numpy<2' >&2
}

# bench_quality SIGMA...: PSNR on BSD68, mean of the images'. The peers are told
# the noise's level, the models are not.
bench_quality() {
    local sigma
    unpack_set bsd68
    fetch_bm3d
    for sigma in "${@:-25}"; do
        echo "BSD68, sigma $sigma:"
        compare_noisy "$TEMPORARY/bsd68" "$sigma"
    done
}

# planes FOLDER SIDE: the planes of its square pictures as 4:2:0, in folders luma,
# blue and red.
planes() {
    local side=$2 half=$(($2 / 2)) stride=$((($2 / 2 + 3) / 4 * 4))
    local luma=$((side * side)) chroma=$((half * stride)) plane
    gst-launch-1.0 -q multifilesrc location="$1/test%03d.png" start-index=1 \
        caps=image/png,framerate=1/1 ! pngdec ! videoconvert ! \
        video/x-raw,format=I420 ! filesink location="$1/raw"
    for plane in "luma $side 0 $side" "blue $half $luma $stride" \
        "red $half $((luma + chroma)) $stride"; do
        # shellcheck disable=SC2086
        set -- "$1" $plane
        mkdir "$TEMPORARY/$2"
        gst-launch-1.0 -q filesrc location="$1/raw" ! \
            rawvideoparse format=gray8 width="$3" height="$3" framerate=1/1 \
            frame-size=$((luma + 2 * chroma)) plane-offsets="<$4>" \
            plane-strides="<$5>" ! pngenc ! \
            multifilesink index=1 location="$TEMPORARY/$2/test%03d.png"
    done
}

# The middle of CBSD68's photographs, 320 x 320 pixels each.
unpack_cbsd68() {
    local folder=$TEMPORARY/cbsd68
    [ -f "$AE_DATA/bsds500/bsds500_jpg.tar" ] ||
        die "bsds500 is not in $AE_DATA: set AE_DATA to the folder of the data."
    mkdir "$folder"
    tar xf "$AE_DATA/bsds500/bsds500_jpg.tar" -C "$folder" val
    sed "s|^|$folder/|" "$AE_DATA/bsds500/cbsd68.txt" |
        link_numbered "$folder/%05d.jpg"
    gst-launch-1.0 -q multifilesrc location="$folder/%05d.jpg" start-index=1 \
        caps=image/jpeg,framerate=1/1 ! jpegdec ! videoconvert ! \
        video/x-raw,format=RGB ! aspectratiocrop aspect-ratio=1/1 ! \
        videocrop right=1 bottom=1 ! pngenc ! \
        multifilesink index=1 location="$folder/test%03d.png"
}

# bench_colour SIGMA: each plane of SET (kodak24, cbsd68) as 4:2:0.
bench_colour() {
    local plane set=${SET:-kodak24}
    fetch_bm3d
    case $set in
    kodak24)
        unpack_set kodak24
        number_pictures "$TEMPORARY/kodak24" .png test
        planes "$TEMPORARY/kodak24" 500
        ;;
    cbsd68)
        unpack_cbsd68
        planes "$TEMPORARY/cbsd68" 320
        ;;
    *) die "SET is kodak24 or cbsd68, not $set." ;;
    esac
    for plane in luma blue red; do
        echo "$set, $plane, sigma ${1:-25}:"
        compare_noisy "$TEMPORARY/$plane" "${1:-25}"
    done
}

# bench_cameras SIGMA...: the noise of real cameras, of SET (cc15, polyu_crops).
# The peers are told each level in turn.
bench_cameras() {
    local set=${SET:-cc15} suffix name
    local folder=$TEMPORARY/$set
    case $set in
    cc15) suffix=png ;;
    polyu_crops) suffix=JPG ;;
    *) die "SET is cc15 or polyu_crops, not $set." ;;
    esac
    unpack_set "$set"
    fetch_bm3d
    number_pictures "$folder" "real.$suffix" noisy
    number_pictures "$folder" "mean.$suffix" test
    for name in noisy test; do
        [ $suffix = JPG ] || break
        gst-launch-1.0 -q multifilesrc location="$folder/$name%03d.JPG" \
            start-index=1 caps=image/jpeg,framerate=1/1 ! jpegdec ! \
            videoconvert ! video/x-raw,format=RGB ! pngenc ! \
            multifilesink index=1 location="$folder/$name%03d.png"
    done
    echo "$set:"
    FORMAT=RGB compare_pictures "$folder" "${@:-5}"
}
