#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs an example application of docs/examples to the end of its stream, with
# a change of the model, and into its errors.
#
#   tests/docs/test-examples.sh PROGRAM
#
# PROGRAM: ends with .py where a Python runs it. Exits with 77, skipped, where
# there is no python3 with what it imports.
case $1 in
*.py)
    for python in python3 /usr/bin/python3 none; do
        "$python" -c 'import gi; gi.require_version("Gst", "1.0")
from gi.repository import Gst' 2>/dev/null && break
    done
    if [ "$python" = none ]; then
        echo "skipped: python3-gi or gir1.2-gstreamer-1.0 is missing"
        exit 77
    fi
    ;;
*) python= ;;
esac
program=$1
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# EXPECTED (the exit status), SAYS and the program's arguments.
check() {
    expected=$1 says=$2
    shift 2
    # shellcheck disable=SC2086
    echo | timeout 60 $python "$program" --sink fakesink "$@" >"$log" 2>&1
    code=$?
    [ $code -eq "$expected" ] && grep -q "$says" "$log" && return
    echo "FAILED: $* (exit $code, expected $expected and '$says')"
    cat "$log"
    exit 1
}

check 0 'frames=(guint64)[1-9]' --source 'videotestsrc num-buffers=10'
live='videotestsrc is-live=true num-buffers=90'
check 0 'model medium-int8' --source "$live" medium medium-int8
check 0 'denoise: .*none-such' --source "$live" medium none-such
check 1 'denoise: .*none-such' --source "$live" none-such
check 1 'no element "nonesuch"' --source nonesuch
echo "all as expected: $program"
