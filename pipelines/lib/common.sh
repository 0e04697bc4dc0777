# SPDX-License-Identifier: LGPL-2.1-or-later
# What all scripts share; source it. BUILD names the build folder, AE_DATA the
# folder of the data sets.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$(realpath -m "${BUILD:-$ROOT/build}")
AE_DATA=$(realpath -m "${AE_DATA:-$ROOT/../shared/data}")
export LC_ALL=C.UTF-8 # numbers have a point
. "$ROOT/pipelines/lib/progress.sh"

die() {
    echo "$*" >&2
    exit 1
}

# Installs what the project needs, and PACKAGES; builds the project; lets
# gst-launch-1.0 find its elements, and the shell its program ae.
#   build [PACKAGE...]
build() {
    local log=$BUILD/ninja.log
    "$ROOT/pipelines/setup.sh" "$@"
    [ -f "$BUILD/build.ninja" ] || meson setup "$BUILD" "$ROOT" >&2 ||
        die "The build could not be set up."
    ninja -C "$BUILD" | progress Building '^\[([0-9]+)/([0-9]+)\]' >"$log" ||
        die "$(cat "$log")" "The build failed."
    export GST_PLUGIN_PATH=$BUILD/plugins${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
    export PATH=$BUILD/core/tools:$PATH
}

# A folder, TEMPORARY, that is deleted when the script ends.
make_temporary() {
    TEMPORARY=$(mktemp -d)
    trap 'rm -rf "$TEMPORARY"' EXIT
}

# Runs gst-launch-1.0; its messages go to LOG, an error ends the script. The
# progress is that of the messages' FIELD, which counts up to TOTAL.
#   launch TITLE FIELD TOTAL LOG ELEMENT...
launch() {
    gst-launch-1.0 -m "${@:5}" |
        progress "$1" " $2=\(g?u?int64\)([0-9]+)" "$3" >"$4" ||
        die "$(grep ERROR "$4")"
}

# The value of FIELD in the last element message NAME of a log of launch().
#   message_field LOG NAME FIELD
message_field() {
    grep "$2" "$1" | tail -n 1 |
        sed -E "s/.*[, ]$3=\(?[a-z0-9]*\)?([^,;]*)[,;].*/\1/"
}

# Compares the TOTAL frames that ELEMENTS send with those that REFERENCE, an
# array of elements, sends; compared FIELD is what came out: mse, psnr,
# psnr-mean, ssim or frames.
#   compare TITLE TOTAL ELEMENT...
compare() {
    launch "$1" frame "$2" "$TEMPORARY/compared" "${@:3}" ! c.sink \
        "${REFERENCE[@]}" ! c.reference \
        aecompare name=c ! fakesink sync=false
}

compared() {
    message_field "$TEMPORARY/compared" ae-compare-total "$1"
}

# The seconds that gst-launch-1.0 was playing; reads what it prints.
launch_seconds() {
    sed -n 's/^Execution ended after //p' |
        awk -F : '{ print $1 * 3600 + $2 * 60 + $3 }'
}

# Independent noise of SIGMA levels of 255, as aenoise takes it: gaussian SIGMA
gaussian() {
    awk "BEGIN { print \"gaussian:sd=\" $1 / 255 }"
}
