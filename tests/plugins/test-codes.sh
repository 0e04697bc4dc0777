#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Codes on their way from aeencode to aedecode: through a queue, a file, sockets
# and shared memory they must become the same frames, byte for byte, as without
# a detour.
#
#   tests/plugins/test-codes.sh AE
#
# AE: the command line tool, which makes the models. A way whose elements are
# not installed is skipped: GDP and shared memory are in Debian's
# gstreamer1.0-plugins-bad.
ae=$(realpath "$1") || exit 1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
passed=0 failed=0 frames=12
port=$((20000 + $$ % 20000)) # another one for each way

launch() {
    timeout 30 gst-launch-1.0 -q "$@" >>log 2>&1
}

# The sending and the receiving half, for network, format, width and height.
set_halves() {
    sender="videotestsrc num-buffers=$frames pattern=ball !
        video/x-raw,format=$2,width=$3,height=$4,framerate=30/1 !
        aeencode model-file=$1.onnx"
    receiver="aedecode model-file=$1.onnx ! filesink location=arrived"
}

through_queue() {
    launch $sender ! queue max-size-buffers=2 ! $receiver
}

through_file() {
    launch $sender ! gdppay ! filesink location=codes &&
        launch filesrc location=codes ! gdpdepay ! $receiver
}

# In bytes by @1, back by @2. The receiver listens first, so that nothing is
# lost; until it does, the sender tries again.
through_tcp() {
    port=$((port + 1))
    launch tcpserversrc host=127.0.0.1 port=$port ! $2 ! $receiver &
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        sleep 0.2
        launch $sender ! $1 ! tcpclientsink host=127.0.0.1 port=$port && break
    done
    wait $!
}

through_gdp_and_tcp() {
    through_tcp gdppay gdpdepay
}

through_rtp_and_tcp() {
    through_tcp "rtpgstpay ! rtpstreampay" \
        "application/x-rtp-stream,media=application,clock-rate=90000,encoding-name=X-GST !
         rtpstreamdepay ! rtpgstdepay"
}

# Shared memory carries no caps: the receiver states them. The sender waits for
# it.
through_shared_memory() {
    launch $sender ! shmsink socket-path=socket sync=false &
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        sleep 0.2
        [ -S socket ] && break
    done
    launch shmsrc socket-path=socket num-buffers=$frames ! \
        "other/tensors,types=float32,framerate=30/1,dimensions=(string)$1" ! \
        $receiver
    code=$?
    wait $!
    return $code
}

# The file of frames that came as they should.
check() {
    name=$1
    shift
    rm -f arrived codes socket
    : >log
    if "$@" && cmp direct arrived >>log 2>&1; then
        echo "ok    $case: $name"
        passed=$((passed + 1))
        return
    fi
    echo "FAIL  $case: $name"
    sed 's/^/      /' log | tail -n 12
    failed=$((failed + 1))
}

# check_if "ELEMENT ..." NAME COMMAND...
check_if() {
    for element in $1; do
        gst-inspect-1.0 --exists "$element" && continue
        echo "SKIP  $case: $2: there is no element $element"
        return
    done
    shift
    check "$@"
}

# The network and the dimensions of its code; the video. keras-denoise enlarges
# 33x21 to 36x24 inside, and its frames have padding.
while read -r network dimensions format width height; do
    case="$network $format ${width}x$height"
    "$ae" new "$network" -o "$network.onnx" >log 2>&1 || exit 1
    set_halves "$network" "$format" "$width" "$height"
    launch $sender ! $receiver || { cat log; exit 1; }
    mv arrived direct
    [ -s direct ] || exit 1
    check "queue" through_queue
    check_if "rtpgstpay rtpstreampay" "RTP and TCP" through_rtp_and_tcp
    check_if "gdppay" "GDP file" through_file
    check_if "gdppay" "GDP and TCP" through_gdp_and_tcp
    # No hints here: frames leave as the model makes them.
    [ "$format$width" != GRAY828 ] ||
        check_if "shmsink" "shared memory" through_shared_memory "$dimensions"
done <<END
dense 2:1:1:1 GRAY8 28 28
vae 2 GRAY8 28 28
keras 4:4:8 NV12 28 28
keras-denoise 9:6:32:1 I420 33 21
END
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
