# SPDX-License-Identifier: LGPL-2.1-or-later
# What the scripts share; source it. Finds or builds the project and makes its
# elements known to gst-launch-1.0. BUILD names the build folder.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$ROOT/build}
AE_DATA=${AE_DATA:-$ROOT/../shared/data}
FASHION=/usr/share/datasets/fashion-mnist

die() {
    echo "$*" >&2
    exit 1
}

build() {
    [ -f "$BUILD/build.ninja" ] || meson setup "$BUILD" "$ROOT" >&2 ||
        die "The build could not be set up; .ci/setup installs what it needs."
    ninja -C "$BUILD" >&2 || die "The build failed."
    export GST_PLUGIN_PATH=$BUILD/plugins${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
    export PATH=$BUILD/core/tools:$PATH
}

# The value of FIELD in the last element message NAME that gst-launch-1.0 -m
# wrote to LOG: message_field LOG NAME FIELD
message_field() {
    grep "$2" "$1" | tail -n 1 |
        sed -E "s/.*[, ]$3=\(?[a-z0-9]*\)?([^,;]*)[,;].*/\1/"
}

# A folder that goes when the script ends.
make_temporary() {
    TEMPORARY=$(mktemp -d)
    trap 'rm -rf "$TEMPORARY"' EXIT
}
