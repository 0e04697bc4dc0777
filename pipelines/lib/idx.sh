# SPDX-License-Identifier: LGPL-2.1-or-later
# MNIST-style idx files, and training on them; source it after common.sh.

FASHION=/usr/share/datasets/fashion-mnist

# MNIST in AE_DATA if it is there, otherwise Fashion-MNIST.
digits() {
    [ -d "$AE_DATA/mnist" ] && echo "$AE_DATA/mnist" || echo "$FASHION"
}

# The file in FOLDER that holds the images or the labels of the training set or
# of the test set; nothing if there is none: idx_file FOLDER train|t10k KIND
idx_file() {
    local file
    for file in "$1/$2-$3"-idx?-ubyte{.gz,}; do
        [ ! -f "$file" ] || { echo "$file" && return; }
    done
}

# The header of an idx file of bytes with these dimensions: idx_header COUNT...
idx_header() {
    local n
    printf "\\0\\0\\010\\00$#"
    for n; do
        printf "$(printf '\\x%02x' $((n >> 24)) $((n >> 16 & 255)) \
            $((n >> 8 & 255)) $((n & 255)))"
    done
}

# The bytes of TEMPORARY/raw as an idx file: write_idx FILE HEIGHT WIDTH [CHANNELS]
write_idx() {
    local bytes
    bytes=$(stat -c %s "$TEMPORARY/raw")
    { idx_header $((bytes / ($2 * $3 * ${4:-1}))) "${@:2}" &&
        cat "$TEMPORARY/raw"; } >"$1"
}

# Frames of 28x28 gray pixels as an idx file: write_frames FILE ELEMENT...
write_frames() {
    gst-launch-1.0 -q "${@:2}" ! video/x-raw,format=GRAY8,width=28,height=28 ! \
        filesink location="$TEMPORARY/raw"
    write_idx "$1" 28 28
}

# Sets SOURCE to what sends a set of FOLDER, and COUNT to its number of images.
#   idx_source FOLDER train|t10k
idx_source() {
    local images labels
    images=$(idx_file "$1" "$2" images)
    labels=$(idx_file "$1" "$2" labels)
    SOURCE=(idxsrc location="$images" ${labels:+labels-location="$labels"})
    COUNT=$({ zcat -f "$images" || true; } 2>/dev/null |
        od -An -j 4 -N 4 -t u4 --endian=big)
}

# Trains a model on the training set of FOLDER; the log is MODEL.log. Properties
# are those of aetrain.
#   train FOLDER EPOCHS SEED MODEL [PROPERTY=VALUE...]
train() {
    idx_source "$1" train
    launch "$(basename "$4" .onnx)" images $(($2 * COUNT)) "$4.log" \
        "${SOURCE[@]}" epochs="$2" shuffle=true seed="$3" ! \
        aetrain seed="$3" model-file="$4" "${@:5}"
}

# Measures a model on the test set of FOLDER; the log is MODEL.test.
#   measure FOLDER SEED MODEL [PROPERTY=VALUE...]
measure() {
    idx_source "$1" t10k
    launch "$(basename "$3")" images "$COUNT" "$3.test" "${SOURCE[@]}" ! \
        aetrain seed=$(($2 + 1000)) model-file="$3" "${@:4}" mode=evaluate
}

# What measure() found: measured MODEL FIELD; FIELD is loss, mse, psnr, kl, ...
measured() {
    message_field "$1.test" ae-evaluation "$2"
}
