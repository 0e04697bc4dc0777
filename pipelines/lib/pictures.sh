# SPDX-License-Identifier: LGPL-2.1-or-later
# Pictures of what models do; source it after idx.sh. picture_KIND draws
# OUT/NAME.png for a line "draw NAME KIND MODEL..." of lesson.table. MODELS is
# the folder of the models, MODEL-1.onnx; FOLDER has the test images, OTHER those
# of another kind, LABELLED those that have labels.

# draw NAME KIND...: a picture of a kind that ae figure knows.
draw() {
    ae figure "${@:2}" -o "$OUT/$1.png"
    echo "picture: $OUT/$1.png"
}

# Its arguments with commas between them.
join() {
    local IFS=,
    echo "$*"
}

# What a model says of KEY, such as noise or scale: model_says MODEL KEY
model_says() {
    ae info "$MODELS/$1-1.onnx" | sed -n "s/^metadata *ae\.$2 = //p"
}

# Adds a row to the next picture of rows: the ten images that ELEMENTS send.
#   add_row CAPTION ELEMENT...
add_row() {
    local prefix=$TEMPORARY/row${#CAPTIONS[@]}-
    gst-launch-1.0 -q "${@:2}" ! pngenc ! multifilesink location="$prefix%d.png"
    ROWS+=("$prefix"{0..9}.png)
    CAPTIONS+=("$1")
}

draw_rows() {
    draw "$1" grid ${#CAPTIONS[@]}x10 "${ROWS[@]}" --zoom 3 \
        --row-captions "$(join "${CAPTIONS[@]}")"
    ROWS=() CAPTIONS=()
}
ROWS=() CAPTIONS=()

# Sets TEN to what sends the first ten test images, and DENOISE to a model's
# element: ten_images MODEL [other]
ten_images() {
    local folder=$FOLDER
    [ "${2:-}" != other ] || folder=$OTHER
    TEN=(idxsrc num-buffers=10 location="$(idx_file "$folder" t10k images)")
    DENOISE=(aedenoise temporal=false model-file="$MODELS/$1-1.onnx")
}

# Images, and what a model makes of them: picture_rebuilt NAME MODEL [other]
picture_rebuilt() {
    ten_images "${@:2}"
    add_row input "${TEN[@]}"
    add_row output "${TEN[@]}" ! "${DENOISE[@]}"
    draw_rows "$1"
}

# Images with the noise that a denoiser has learned, denoised, and without noise.
#   picture_denoised NAME MODEL [other]
picture_denoised() {
    ten_images "${@:2}"
    local noisy=("${TEN[@]}" ! aenoise seed=7 noise="$(model_says "$2" noise)")
    add_row noisy "${noisy[@]}"
    add_row denoised "${noisy[@]}" ! "${DENOISE[@]}"
    add_row original "${TEN[@]}"
    draw_rows "$1"
}

# Images reduced to SIDE x SIDE pixels, enlarged again by nearest pixels and by
# the model, and the originals: picture_enlarged NAME MODEL SIDE
picture_enlarged() {
    ten_images "$2"
    add_enlarged small "$2" "${TEN[@]}" ! videoscale ! \
        video/x-raw,width="$3",height="$3"
    add_row original "${TEN[@]}"
    draw_rows "$1"
}

# Adds a row of images enlarged by nearest pixels, and a row enlarged by a model.
#   add_enlarged CAPTION MODEL ELEMENT...
add_enlarged() {
    local nearest=$TEMPORARY/enlarge.onnx channels=1
    [ "$(model_says "$2" colour)" != rgb ] || channels=3
    ae new nearest --channels $channels --scale "$(model_says "$2" scale)" \
        -o "$nearest"
    add_row "$1" "${@:3}" ! aesuperres model-file="$nearest"
    add_row enlarged "${@:3}" ! aesuperres model-file="$MODELS/$2-1.onnx"
}

# Colour noise of 8x8 pixels, enlarged: picture_noise NAME MODEL
picture_noise() {
    add_enlarged noise "$2" videotestsrc num-buffers=10 pattern=solid-color \
        foreground-color=0xff808080 ! \
        video/x-raw,format=RGB,width=8,height=8 ! \
        aenoise noise=uniform:width=1 seed=1
    draw_rows "$1"
}

# What models make of the same ten random codes: picture_random NAME MODEL...
picture_random() {
    local model
    for model in "${@:2}"; do
        add_row "$model" vaesample model-file="$MODELS/$model-1.onnx" \
            num-buffers=10 seed=1 ! video/x-raw,format=GRAY8
    done
    draw_rows "$1"
}

# The test images that a model decodes after noise of SD was added to their codes,
# as TEMPORARY/SD.idx: decode_noisy MODEL SD
decode_noisy() {
    ae embed "$MODELS/$1-1.onnx" "$(idx_file "$FOLDER" t10k images)" \
        -o "$TEMPORARY/codes.npy" >/dev/null
    ae decode "$MODELS/$1-1.onnx" "$TEMPORARY/codes.npy" \
        -o "$TEMPORARY/$2.idx" --noise "gaussian:sd=$2,clip=false"
}

# picture_noisy-codes NAME MODEL SD...
picture_noisy-codes() {
    local sd
    ten_images "$2"
    add_row image "${TEN[@]}"
    for sd in "${@:3}"; do
        decode_noisy "$2" "$sd"
        add_row "sd $sd" idxsrc num-buffers=10 location="$TEMPORARY/$sd.idx"
    done
    draw_rows "$1"
}

# The codes of the test images as dots coloured by label, a panel a model.
#   picture_scatter NAME MODEL...
picture_scatter() {
    local model codes=()
    for model in "${@:2}"; do
        codes+=("$TEMPORARY/$model.npy")
        ae embed "$MODELS/$model-1.onnx" "$(idx_file "$LABELLED" t10k images)" \
            -o "${codes[-1]}" >/dev/null
    done
    draw "$1" scatter "$(idx_file "$LABELLED" t10k labels)" "${codes[@]}" \
        --captions "$(join "${@:2}")"
}

# The plane of a code of two values: picture_plane NAME MODEL RANGE
picture_plane() {
    draw "$1" manifold "$MODELS/$2-1.onnx" --count 10 --range "$3"
}

# One code under every label: picture_labels NAME MODEL
picture_labels() {
    draw "$1" labels "$MODELS/$2-1.onnx"
}

# The weights of the first layer: picture_weights NAME MODEL
picture_weights() {
    draw "$1" weights "$MODELS/$2-1.onnx"
}
