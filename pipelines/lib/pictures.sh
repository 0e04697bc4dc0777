# SPDX-License-Identifier: LGPL-2.1-or-later
# Pictures of what models do; source it after idx.sh. All of them are drawn by
# ae figure, and most are rows of ten images.

# Its arguments with commas between them.
join() {
    local IFS=,
    echo "$*"
}

# draw PICTURE KIND...: a picture of a kind that ae figure knows.
draw() {
    ae figure "${@:2}" -o "$1"
    echo "picture: $1"
}

# Adds a row to the next picture of rows: the ten images that ELEMENTS send.
#   add_row CAPTION ELEMENT...
add_row() {
    local prefix=$TEMPORARY/row${#CAPTIONS[@]}-
    gst-launch-1.0 -q "${@:2}" ! pngenc ! multifilesink location="$prefix%d.png"
    ROWS+=("$prefix"{0..9}.png)
    CAPTIONS+=("$1")
}

begin_rows() {
    ROWS=() CAPTIONS=()
}

draw_rows() {
    draw "$1" grid ${#CAPTIONS[@]}x10 "${ROWS[@]}" --zoom 3 \
        --row-captions "$(join "${CAPTIONS[@]}")"
}

# Sets TEN to what sends the first ten test images of FOLDER: ten_images FOLDER
ten_images() {
    TEN=(idxsrc num-buffers=10 location="$(idx_file "$1" t10k images)")
}

# Ten test images, and what MODEL makes of them.
#   show_rebuilt FOLDER MODEL PICTURE
show_rebuilt() {
    ten_images "$1"
    begin_rows
    add_row input "${TEN[@]}"
    add_row output "${TEN[@]}" ! aedenoise temporal=false model-file="$2"
    draw_rows "$3"
}

# Ten test images with noise, what MODEL makes of them, and without noise.
#   show_denoised FOLDER MODEL PICTURE NOISE
show_denoised() {
    ten_images "$1"
    local noisy=("${TEN[@]}" ! aenoise noise="$4" seed=7)
    begin_rows
    add_row noisy "${noisy[@]}"
    add_row denoised "${noisy[@]}" ! aedenoise temporal=false model-file="$2"
    add_row original "${TEN[@]}"
    draw_rows "$3"
}

# Ten test images reduced to SIDE x SIDE pixels, enlarged again by nearest
# pixels and by MODEL, and the originals.
#   show_enlarged FOLDER SIDE SCALE MODEL PICTURE
show_enlarged() {
    ten_images "$1"
    local small=("${TEN[@]}" ! videoscale ! "video/x-raw,width=$2,height=$2")
    begin_rows
    add_enlarged small "$3" "$4" "${small[@]}"
    add_row original "${TEN[@]}"
    draw_rows "$5"
}

# Adds a row of images enlarged by nearest pixels, and one by MODEL.
#   add_enlarged CAPTION SCALE MODEL ELEMENT...
add_enlarged() {
    local nearest=$TEMPORARY/enlarge.onnx channels=1
    [[ $(ae info "$3") != *'?x3x'* ]] || channels=3
    ae new nearest --channels $channels --scale "$2" -o "$nearest"
    add_row "$1" "${@:4}" ! aesuperres model-file="$nearest"
    add_row enlarged "${@:4}" ! aesuperres model-file="$3"
}

# Colour noise of 8x8 pixels, enlarged 4 times by nearest pixels and by MODEL.
#   show_noise MODEL PICTURE
show_noise() {
    begin_rows
    add_enlarged noise 4 "$1" videotestsrc num-buffers=10 pattern=solid-color \
        foreground-color=0xff808080 ! \
        video/x-raw,format=RGB,width=8,height=8 ! \
        aenoise noise=uniform:width=1 seed=1
    draw_rows "$2"
}

# What models make of the same ten random codes, a row a model.
#   show_random PICTURE CAPTION MODEL [CAPTION MODEL]...
show_random() {
    local picture=$1
    shift
    begin_rows
    while [ $# -gt 0 ]; do
        add_row "$1" vaesample model-file="$2" num-buffers=10 seed=1 ! \
            video/x-raw,format=GRAY8
        shift 2
    done
    draw_rows "$picture"
}

# Ten images of an idx file, and the images that come back when noise of each SD
# is added to their codes; the decoded images of the whole file stay in
# TEMPORARY/SD.idx: show_noisy_codes FILE MODEL PICTURE SD...
show_noisy_codes() {
    local sd
    ae embed "$2" "$1" -o "$TEMPORARY/codes.npy" >/dev/null
    begin_rows
    add_row image idxsrc num-buffers=10 location="$1"
    for sd in "${@:4}"; do
        ae decode "$2" "$TEMPORARY/codes.npy" -o "$TEMPORARY/$sd.idx" \
            --noise "gaussian:sd=$sd,clip=false"
        add_row "sd $sd" idxsrc num-buffers=10 location="$TEMPORARY/$sd.idx"
    done
    draw_rows "$3"
}

# The codes of the test images as dots coloured by label, a panel a model.
#   show_codes FOLDER PICTURE CAPTION MODEL [CAPTION MODEL]...
show_codes() {
    local folder=$1 picture=$2 captions=() codes=()
    shift 2
    while [ $# -gt 0 ]; do
        captions+=("$1")
        codes+=("$TEMPORARY/codes${#codes[@]}.npy")
        ae embed "$2" "$(idx_file "$folder" t10k images)" \
            -o "${codes[-1]}" >/dev/null
        shift 2
    done
    draw "$picture" scatter "$(idx_file "$folder" t10k labels)" \
        "${codes[@]}" --captions "$(join "${captions[@]}")"
}
