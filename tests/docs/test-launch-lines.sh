#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs every launch line of the documentation: the lines that begin with
# gst-launch-1.0 in the fenced blocks of README.md and docs/*/*.md, and the
# |[ ... ]| blocks of plugins/*.c.
#
#   tests/docs/test-launch-lines.sh
#
# All lines share one temporary folder; a line whose input files are missing
# waits for a line that makes them, and is skipped if none does. A line passes
# if it ends well, or plays without an error until it is stopped: after 3
# seconds where its source never ends, after 20 otherwise. Cameras become test
# pictures and displays become fakesink.
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0 passed=0
# The messages of gst-launch-1.0 are read below, in any locale in English.
export LANGUAGE=en

# FILE and the line, separated by a tab, for each line of a Markdown file.
lines_of_markdown() {
    awk -v file="$(basename "$1")" '
        /^ *```/ { fenced = !fenced; line = ""; next }
        !fenced { next }
        line == "" && !/^ *(\$ )?gst-launch-1\.0 / { next }
        {
            sub(/^ *(\$ )?/, "")
            more = sub(/\\$/, "")
            line = line $0
            if (!more) { print file "\t" line; line = "" }
        }' "$1"
}

# The same for a source file.
lines_of_source() {
    awk -v file="$(basename "$1")" '
        /^ \* \|\[/ { inside = 1; line = ""; next }
        /^ \* \]\|/ { if (line ~ /^gst-launch-1\.0 /) print file "\t" line
                      inside = 0 }
        inside { sub(/^ \* */, ""); line = line (line == "" ? "" : " ") $0 }' "$1"
}

# The files that a line reads, one each; %05d and the like become *.
inputs_of() {
    printf '%s\n' "$1" | awk '{
        for (i = 2; i <= NF; i++) {
            gsub(/["\047]/, "", $i)
            if ($i !~ /=/) { if ($i ~ /^[a-z]/) element = $i; continue }
            value = $i
            sub(/^[^=]*=/, "", value)
            sub(/^file:\/\/(\$PWD\/)?/, "", value)
            gsub(/%[0-9]*d/, "*", value)
            if (($i ~ /location=/ && element ~ /src$/) || $i ~ /^uri=/ ||
                ($i ~ /^model-file=/ && (element != "aetrain" ||
                                         $0 ~ /mode=evaluate/)))
                print value
        }
    }'
}

# The first of them that is not there.
missing_input() {
    inputs_of "$1" | while read -r input; do
        for found in $input; do
            [ -e "$found" ] || echo "$input"
            break
        done
    done | head -n 1
}

# The line as it runs where there is neither camera nor display.
without_hardware() {
    printf '%s\n' "$1" | sed -E \
        -e 's/v4l2src( device=[^ ]+)?/videotestsrc is-live=true num-buffers=30/' \
        -e 's/autovideosink/fakesink/g' \
        -e 's/playbin( |$)/playbin video-sink=fakesink audio-sink=fakesink\1/'
}

seconds_for() {
    case $1 in
    *num-buffers=* | *filesrc* | *idxsrc* | *playbin* | *max-steps=*) echo 20 ;;
    *) echo 3 ;;
    esac
}

run_line() {
    file=$1
    line=$(without_hardware "$2")
    # --foreground: or a second INT may come before gst-launch-1.0 is done
    timeout --foreground -s INT -k 10 "$(seconds_for "$line")" \
        sh -c "exec $line" >log 2>&1 </dev/null
    code=$?
    if [ $code -eq 0 ]; then
        verdict=ended
    elif [ $code -eq 124 ] && ! grep -q ERROR log &&
        grep -q 'Setting pipeline to PLAYING' log; then
        verdict=plays
    else
        echo "FAILED   $file: $2"
        sed 's/^/    /' log | tail -n 12
        failed=$((failed + 1))
        return
    fi
    echo "$verdict    $file: $2"
    passed=$((passed + 1))
}

# Runs the lines of the list that can run; the others stay in it.
run_ready() {
    : >waiting
    while IFS="$(printf '\t')" read -r file line <&3; do
        if [ -n "$(missing_input "$line")" ]; then
            printf '%s\t%s\n' "$file" "$line" >>waiting
        else
            run_line "$file" "$line"
        fi
    done 3<list
}

{
    for page in "$root"/README.md "$root"/docs/*/*.md; do
        [ ! -f "$page" ] || lines_of_markdown "$page"
    done
    for source in "$root"/plugins/*.c; do
        lines_of_source "$source"
    done
} >list
[ -s list ] || { echo "There are no launch lines."; exit 1; }

until [ ! -s list ]; do
    run_ready
    cmp -s list waiting && break
    mv waiting list
done
while IFS="$(printf '\t')" read -r file line; do
    echo "skipped  $file: $line"
    echo "    there is no $(missing_input "$line")"
done <list
echo "$passed launch lines passed, $failed failed, $(wc -l <list) skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
