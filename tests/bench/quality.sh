# SPDX-License-Identifier: LGPL-2.1-or-later
# The built-in denoisers beside BM3D on the same noisy files; sourced by run.sh.

# Sends the numbered pictures PREFIX of a folder through ELEMENTS into pictures
# of the prefix NAME: pass FOLDER PREFIX NAME ELEMENT...
pass() {
    local folder=$1 prefix=$2 name=$3
    shift 3
    gst-launch-1.0 -q multifilesrc location="$folder/$prefix%03d.png" \
        start-index=1 caps=image/png,framerate=1/1 ! pngdec ! videoconvert ! \
        video/x-raw,format=GRAY8 ! "$@" ! pngenc ! \
        multifilesink index=1 location="$folder/$name%03d.png"
}

# bench_quality SIGMA...: PSNR on BSD68, mean of the images'. BM3D is told the
# noise's level, the others are not.
bench_quality() {
    local folder=$TEMPORARY/bsd68 sigma model
    [ -f "$AE_DATA/bsd68/bsd68.tar" ] ||
        die "bsd68 is not in $AE_DATA: set AE_DATA to the folder of the data."
    fetch_peers
    "$ENVIRONMENT/bin/pip" install --quiet bm3d 'numpy<2' >&2
    mkdir "$folder"
    tar xf "$AE_DATA/bsd68/bsd68.tar" -C "$folder"
    for sigma in "${@:-25}"; do
        echo "BSD68, sigma $sigma:"
        pass "$folder" test noisy aenoise seed=1 \
            noise="gaussian:sd=$(awk "BEGIN { print $sigma / 255 }")"
        for model in ${MODELS:-light medium strong}; do
            pass "$folder" noisy "$model" aedenoise temporal=false model="$model"
        done
        python "$HERE/quality.py" "$folder" "$sigma" ${MODELS:-light medium strong}
    done
}
