#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A 512x512 picture of GStreamer's test patterns; the README's picture is
#
#   pipelines/test-scene.sh scene.png
#   PHOTO=scene.png OUT=docs/pictures pipelines/denoise.sh
set -euo pipefail

SIZE=video/x-raw,width=256,height=256

gst-launch-1.0 -q compositor name=c background=black \
    sink_1::xpos=256 sink_2::ypos=256 sink_3::xpos=256 sink_3::ypos=256 ! \
    video/x-raw,width=512,height=512 ! videoconvert ! pngenc snapshot=true ! \
    filesink location="${1:?usage: pipelines/test-scene.sh PICTURE.png}" \
    videotestsrc num-buffers=1 pattern=smpte100 ! $SIZE ! c.sink_0 \
    videotestsrc num-buffers=1 pattern=zone-plate kx2=12 ky2=12 ! $SIZE ! \
    c.sink_1 \
    videotestsrc num-buffers=1 pattern=spokes ! $SIZE ! c.sink_2 \
    videotestsrc num-buffers=1 pattern=colors ! $SIZE ! c.sink_3
