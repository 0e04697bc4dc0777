#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs the Debian packages that building, testing and the demonstrations
# need, where they are missing; asks for root only then.
#
#   pipelines/setup.sh [PACKAGE...]
#
# PACKAGE: installed as well.
set -euo pipefail
export LC_ALL=C.UTF-8
. "$(dirname "$0")/lib/progress.sh"

PACKAGES="gcc libc6-dev meson ninja-build pkg-config
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
    gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    libglib2.0-dev libopenblas-dev libpng-dev libprotobuf-c-dev
    protobuf-c-compiler libjson-glib-dev libcairo2-dev
    libonnx-testdata dataset-fashion-mnist gnome-control-center-data"

missing=()
for package in $PACKAGES "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

# apt_get TITLE ARGUMENT...: what it has done, in percent, goes to progress().
apt_get() {
    $root env DEBIAN_FRONTEND=noninteractive apt-get -y -qq \
        --no-install-recommends -o APT::Status-Fd=1 "${@:2}" |
        progress "$1" '^[dp][lm]status:.*:([0-9]+)[.][0-9]+:' 100 >/dev/null
}

root=
[ "$(id -u)" -eq 0 ] || root=sudo
echo "Installing ${missing[*]}" >&2
$root apt-get update -qq >&2
apt_get Downloading --download-only install "${missing[@]}"
apt_get Installing install "${missing[@]}"
