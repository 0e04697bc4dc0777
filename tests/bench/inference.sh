# SPDX-License-Identifier: LGPL-2.1-or-later
# Inference beside ONNX Runtime, PyTorch and OpenCV, on the same files and
# inputs; sourced by run.sh.

# Prints images a second; leaves the percentage of the peak in a file.
#   ours MODEL THREADS
ours() {
    local line
    line=$(ae bench "$1" --inputs "$TEMPORARY/in" --threads "$2" \
        --seconds "$SECONDS_EACH")
    awk '{ print $9 }' <<<"$line" >"$TEMPORARY/percentage"
    awk '{ print $1 }' <<<"$line"
}

# peer RUNTIME MODEL OPTION...
peer() {
    python "$HERE/inference.py" "$1" "$2" "$TEMPORARY/in" \
        --threads "$THREADS" --seconds "$SECONDS_EACH" "${@:3}"
}

# agree MODEL PEER TOLERANCE: the largest difference of their outputs from ours;
# fails if the peer cannot run the file.
agree() {
    local difference
    peer "$2" "$1" --save "$TEMPORARY/expected" 2>"$TEMPORARY/error" || {
        echo "  $2 left out:" \
            "$(grep -i error "$TEMPORARY/error" || echo "it crashed")" |
            cut -c 1-200 | head -n 1
        return 1
    }
    difference=$(python "$HERE/tensors.py" compare "$TEMPORARY/expected" \
        "$TEMPORARY/found" "$3") ||
        die "$1: ours and $2's outputs differ by $difference."
    echo "  $2 agrees: largest difference $difference"
}

# compare MODEL SIZE BATCH [TOLERANCE]
compare() {
    local model=$1 name competitor peers=()
    name="$(basename "$model" .onnx) $2"
    [ "$3" -eq 1 ] || name="$name, batches of $3"
    echo "$name"
    python "$HERE/tensors.py" random "$model" "$2" "$3" "$TEMPORARY/in"
    if ! ae run "$model" "$TEMPORARY/in" "$TEMPORARY/found"; then
        return
    fi
    for competitor in $PEERS; do
        agree "$model" "$competitor" "${4:-$TOLERANCE}" &&
            peers+=("$competitor")
    done
    for _ in $(seq "$ROUNDS"); do
        record ours ours "$model" "$THREADS"
        cat "$TEMPORARY/percentage" >>"$TEMPORARY/share"
        record one-thread ours "$model" 1
        for competitor in "${peers[@]}"; do
            record "$competitor" peer "$competitor" "$model"
        done
        echo
    done
    summary images/s ours one-thread "${peers[@]}"
    echo "  median: ours $(median share) % of the measured peak"
    add_row "$name" "${peers[@]}"
    forget ours one-thread share "${peers[@]}"
}

# A row of the table at the end: add_row NAME PEER...
add_row() {
    local competitor
    {
        printf '| %s | %.4g | %s %% | %s |' "$1" "$(median ours)" \
            "$(median share)" "$(ratio ours one-thread)"
        for competitor in $PEERS; do
            case " ${*:2} " in
            *" $competitor "*)
                printf ' %.4g (%s) |' "$(median "$competitor")" \
                    "$(ratio ours "$competitor")"
                ;;
            *) printf ' - |' ;;
            esac
        done
        echo
    } >>"$TEMPORARY/table"
}

print_table() {
    echo
    echo "| network | ours, images/s | of the peak | over 1 thread |" \
        "$(printf '%s (ours over it) | ' $PEERS)"
    printf '| --- | --- | --- | --- |'
    printf ' --- |%.0s' $PEERS
    echo
    cat "$TEMPORARY/table"
    echo
}

# Peak memory in MiB of a whole process: our_memory COMMAND...
our_memory() {
    "$@" >/dev/null &
    sleep 1
    awk '/VmHWM/ { print $2 / 1024 }' "/proc/$!/status"
    wait "$!"
}

# compare_memory MODEL SIZE: our whole process, libraries and input file and
# all, against what ONNX Runtime adds to a Python that has loaded it.
compare_memory() {
    local ours onnxruntime
    python "$HERE/tensors.py" random "$1" "$2" 1 "$TEMPORARY/in"
    ours=$(our_memory ae bench "$1" --size "$2" --threads "$THREADS" \
        --seconds 2)
    onnxruntime=$(peer onnxruntime "$1" --memory)
    echo "peak memory, $(basename "$1" .onnx) $2: ours $ours MiB," \
        "onnxruntime $onnxruntime MiB, ours / onnxruntime =" \
        "$(awk "BEGIN { printf \"%.2f\", $ours / $onnxruntime }")"
}

# The U-Net NAME of FOLDER in float32 and in 8 bits, where sums that round to
# either side of a half may move an output by some steps.
compare_unet() {
    compare "$1/$2.onnx" 1920x1080 1
    ae quantize "$1/$2.onnx" --calibrate "$TEMPORARY/calibration.png" \
        -o "$1/$2-int8.onnx"
    compare "$1/$2-int8.onnx" 1920x1080 1 0.05
}

make_calibration() {
    gst-launch-1.0 -q filesrc location="$PHOTO" ! jpegdec ! videoconvert ! \
        video/x-raw,format=GRAY8 ! pngenc ! \
        filesink location="$TEMPORARY/calibration.png"
}

# The networks of the bars.
compare_networks() {
    local folder=$TEMPORARY/networks name batch
    mkdir "$folder"
    for name in unet-s unet-xs keras; do
        ae new "$name" -o "$folder/$name.onnx"
    done
    python "$HERE/networks.py" "$folder"
    make_calibration
    for name in unet-s unet-xs; do
        compare_unet "$folder" "$name"
    done
    for name in fsrcnn-x2 espcn-x2; do
        compare "$folder/$name.onnx" 1280x720 1
    done
    for name in ffdnet dncnn-17; do
        compare "$folder/$name.onnx" 640x480 1
    done
    for batch in 1 32 128; do
        compare "$folder/keras.onnx" 28x28 "$batch"
    done
    print_table
    compare_memory "$folder/unet-s.onnx" 1920x1080
}

# The .onnx files of FOLDER, at every size where they leave it open.
compare_folder() {
    local model size
    for model in "$1"/*.onnx; do
        for size in $(sizes_of "$model"); do
            compare "$model" "$size" 1
        done
    done
    print_table
}

sizes_of() {
    if ae info "$1" --size 64x64 | grep -q '^input.*x?x?$'; then
        echo "$SIZES"
    else
        echo fixed
    fi
}

bench_inference() {
    fetch_peers
    rm -f "$TEMPORARY/table"
    if [ -n "$1" ]; then
        compare_folder "$1"
    else
        compare_networks
    fi
}
