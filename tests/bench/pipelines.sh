# SPDX-License-Identifier: LGPL-2.1-or-later
# Whole pipelines: aedenoise with the built-in model beside the bare plan on the
# same frame, the time from the launch to the first frame, aesuperres beside its
# plan, and vaesample beside the bare decoder; sourced by run.sh.

MODEL=$ROOT/core/models/medium.onnx
WIDTH=1920 HEIGHT=1080

# A photograph as one I420 frame, and its planes as tensors.
make_frame() {
    gst-launch-1.0 -q filesrc location="$PHOTO" ! jpegdec ! videoconvert ! \
        videoscale ! "video/x-raw,format=I420,width=$WIDTH,height=$HEIGHT" ! \
        filesink location="$TEMPORARY/frame"
    python "$HERE/tensors.py" planes "$TEMPORARY/frame" $WIDTH $HEIGHT \
        "$TEMPORARY/luma" "$TEMPORARY/chroma"
}

# The frame COUNT times through aedenoise into SINK...: denoise COUNT SINK...
denoise() {
    gst-launch-1.0 filesrc location="$TEMPORARY/frame" ! \
        rawvideoparse format=i420 width=$WIDTH height=$HEIGHT ! \
        imagefreeze num-buffers="$1" ! aedenoise temporal=false threads="$THREADS" ! \
        "${@:2}"
}

# rate FRAMES COMMAND...: frames a second of a pipeline that makes one frame
# more: the clock starts when the first has come to the sink.
rate() {
    local seconds
    seconds=$("${@:2}" | launch_seconds)
    awk "BEGIN { print $1 / $seconds }"
}

element() {
    rate "$FRAMES" denoise $((FRAMES + 1)) fakesink sync=false
}

# Milliseconds that the plan takes for an image of TENSORS.
plan_time() {
    ae bench "$MODEL" --inputs "$1" --threads "$THREADS" \
        --seconds "$SECONDS_EACH" | awk '{ print $3 }'
}

# Frames a second of the plans alone: one image of luma, two of chroma.
plan() {
    local luma chroma
    luma=$(plan_time "$TEMPORARY/luma")
    chroma=$(plan_time "$TEMPORARY/chroma")
    awk "BEGIN { print 1000 / ($luma + 2 * $chroma) }"
}

# The element's frame is the plan's outputs, rounded.
check_frame() {
    local plane
    denoise 1 filesink location="$TEMPORARY/denoised" >/dev/null
    for plane in luma chroma; do
        ae run "$MODEL" "$TEMPORARY/$plane" "$TEMPORARY/$plane-denoised"
    done
    python "$HERE/tensors.py" rounded "$TEMPORARY/denoised" $WIDTH $HEIGHT \
        "$TEMPORARY/luma-denoised" "$TEMPORARY/chroma-denoised" ||
        die "aedenoise does not write what its plan computes."
}

# Milliseconds from the launch to the first byte of a denoised frame of 720p.
launch() {
    local fifo=$TEMPORARY/fifo begun=${EPOCHREALTIME/./} ended
    [ -p "$fifo" ] || mkfifo "$fifo"
    gst-launch-1.0 -q videotestsrc num-buffers=1 ! \
        video/x-raw,format=I420,width=1280,height=720 ! \
        aedenoise temporal=false threads="$THREADS" ! filesink location="$fifo" &
    {
        head -c 1 >"$TEMPORARY/byte"
        ended=${EPOCHREALTIME/./}
        cat >/dev/null
    } <"$fifo"
    wait $!
    awk "BEGIN { print ($ended - $begun) / 1000 }"
}

# To twice the size: enlarge FRAMES
enlarge() {
    gst-launch-1.0 videotestsrc pattern=black num-buffers="$1" ! \
        video/x-raw,format=I420,width=960,height=540 ! \
        aesuperres scale=2 threads="$THREADS" ! fakesink sync=false
}

enlarged() {
    rate "$FRAMES" enlarge $((FRAMES + 1))
}

enlarged_plan() {
    ae bench superres2 --size 960x540 --threads "$THREADS" \
        --seconds "$SECONDS_EACH" | awk '{ print $1 }'
}

bench_enlarging() {
    echo "aesuperres, 960x540 I420 to 1920x1080"
    FRAMES=$(awk "BEGIN { print int($SECONDS_EACH * $(enlarged_plan)) + 1 }")
    for _ in $(seq "$ROUNDS"); do
        record enlarged enlarged
        record plan enlarged_plan
        echo
    done
    summary frames/s enlarged plan
    forget enlarged plan
}

# The decoder of the lesson's dense variational autoencoder, 2-512-784.
make_decoder() {
    ae new vae -o "$TEMPORARY/vae.onnx"
    ae split "$TEMPORARY/vae.onnx" -o "$TEMPORARY/vae"
}

decoder() {
    ae bench "$TEMPORARY/vae-decoder.onnx" --threads 1 \
        --seconds "$SECONDS_EACH" | awk '{ print $1 }'
}

# As many codes, one a frame, as take the seconds of a measurement.
sample() {
    rate "$CODES" gst-launch-1.0 vaesample model-file="$TEMPORARY/vae.onnx" \
        threads=1 num-buffers=$((CODES + 1)) ! fakesink sync=false
}

bench_sampling() {
    make_decoder
    CODES=$(awk "BEGIN { print int($SECONDS_EACH * $(decoder)) + 1 }")
    echo "vaesample, 28x28, one code a frame, one thread"
    for _ in $(seq "$ROUNDS"); do
        record sample sample
        record decoder decoder
        echo
    done
    summary frames/s sample decoder
    forget sample decoder
}

bench_pipelines() {
    fetch_peers
    make_frame
    check_frame
    echo "aedenoise, ${WIDTH}x$HEIGHT I420"
    FRAMES=$(awk "BEGIN { print int($SECONDS_EACH * $(plan)) + 1 }")
    for _ in $(seq "$ROUNDS"); do
        record element element
        record plan plan
        echo
    done
    summary frames/s element plan
    echo "gst-launch-1.0 to the first denoised frame, 1280x720 I420, ms"
    launch >/dev/null # registers the plugins
    for _ in $(seq $((3 * ROUNDS))); do
        record launch launch
    done
    printf '\n  median: launch %.4g ms\n' "$(median launch)"
    forget element plan launch
    bench_enlarging
    bench_sampling
}
