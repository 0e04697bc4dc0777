# SPDX-License-Identifier: LGPL-2.1-or-later
# aedenoise with the frames before and without, on clips that noise is added to;
# sourced by run.sh.

# The first FRAMES frames of a clip, in 4:2:0, as they are: unpack FILE TARGET
# sets CAPS to what they are.
unpack() {
    local source=$1
    if [[ $source == *.xz ]]; then
        # y4mdec takes no first line of more than 80 characters.
        xz -dc "$source" | LC_ALL=C sed '1s/ X.*//' >"$TEMPORARY/clip"
        source=$TEMPORARY/clip
    fi
    CAPS=$(gst-launch-1.0 -v filesrc location="$source" ! decodebin ! \
        identity eos-after=$((FRAMES + 1)) ! videoconvert ! \
        video/x-raw,format=I420 ! identity name=end silent=true ! \
        filesink location="$2" | sed -n 's/.*end.GstPad:src: caps = //p')
    WIDTH=$(sed -E 's/.*width=\(int\)([0-9]*).*/\1/' <<<"$CAPS")
    HEIGHT=$(sed -E 's/.*height=\(int\)([0-9]*).*/\1/' <<<"$CAPS")
}

# Sends frames through ELEMENTS: through IN OUT ELEMENT...
through() {
    local in=$1 out=$2
    shift 2
    gst-launch-1.0 -q filesrc location="$in" ! rawvideoparse format=i420 \
        width="$WIDTH" height="$HEIGHT" framerate=25/1 ! "$@" ! \
        filesink location="$out"
}

# bench_temporal SIGMA: PSNR of luma, whole and where nothing moves. NOISE, as
# aenoise takes it, is other noise.
bench_temporal() {
    local folder=$TEMPORARY/frames clip noise
    noise=${NOISE:-$(gaussian "${1:-25}")}
    FRAMES=${FRAMES:-60}
    [ -d "$AE_DATA/video" ] ||
        die "video is not in $AE_DATA: set AE_DATA to the folder of the data."
    fetch_peers
    "$ROOT/pipelines/setup.sh" gstreamer1.0-libav gstreamer1.0-plugins-bad
    mkdir "$folder"
    echo "luma, $noise, the first $FRAMES frames:"
    for clip in "$AE_DATA"/video/*; do
        unpack "$clip" "$folder/clean"
        through "$folder/clean" "$folder/noisy" aenoise seed=1 noise="$noise"
        through "$folder/noisy" "$folder/single" aedenoise temporal=false
        through "$folder/noisy" "$folder/temporal" aedenoise temporal=true
        python "$HERE/temporal.py" "$folder" "$WIDTH" "$HEIGHT" \
            "$(basename "$clip")"
    done
}
