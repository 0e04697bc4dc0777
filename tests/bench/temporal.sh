# SPDX-License-Identifier: LGPL-2.1-or-later
# aedenoise with the frames before and without, on clips that noise is added to;
# sourced by run.sh.

# Sends frames through ELEMENTS: through IN OUT ELEMENT...
through() {
    local in=$1 out=$2
    shift 2
    gst-launch-1.0 -q filesrc location="$in" ! rawvideoparse format=i420 \
        width="$WIDTH" height="$HEIGHT" framerate=25/1 ! "$@" ! \
        filesink location="$out"
}

# bench_temporal SIGMA: PSNR of luma, whole and where nothing moves. NOISE, as
# aenoise takes it, is other noise; MODELS are the built-in ones.
bench_temporal() {
    local folder=$TEMPORARY/frames clip model noise
    noise=${NOISE:-$(gaussian "${1:-25}")}
    FRAMES=${FRAMES:-60}
    [ -d "$AE_DATA/video" ] ||
        die "video is not in $AE_DATA: set AE_DATA to the folder of the data."
    fetch_peers
    mkdir "$folder"
    echo "luma, $noise, the first $FRAMES frames:"
    for clip in "$AE_DATA"/video/*; do
        unpack_clip "$clip" "$folder/clean"
        through "$folder/clean" "$folder/noisy" aenoise seed=1 noise="$noise"
        for model in $MODELS; do
            through "$folder/noisy" "$folder/single" \
                aedenoise model="$model" temporal=false
            through "$folder/noisy" "$folder/temporal" \
                aedenoise model="$model" temporal=true
            python "$HERE/temporal.py" "$folder" "$WIDTH" "$HEIGHT" \
                "$model, $(basename "$clip")"
        done
    done
}
