# SPDX-License-Identifier: LGPL-2.1-or-later
# What the scripts share; source it. Finds or builds the project and makes its
# elements known to gst-launch-1.0. BUILD names the build folder.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(realpath -m "${BUILD:-$ROOT/build}")
AE_DATA=$(realpath -m "${AE_DATA:-$ROOT/../shared/data}")
export LC_NUMERIC=C
FASHION=/usr/share/datasets/fashion-mnist

die() {
    echo "$*" >&2
    exit 1
}

# Builds, with what is needed installed, and PACKAGES, too: build [PACKAGE...]
build() {
    "$ROOT/pipelines/setup.sh" "$@"
    [ -f "$BUILD/build.ninja" ] || meson setup "$BUILD" "$ROOT" >&2 ||
        die "The build could not be set up."
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

# The seconds that gst-launch-1.0, whose output comes, was playing.
launch_seconds() {
    sed -n 's/^Execution ended after //p' |
        awk -F : '{ print $1 * 3600 + $2 * 60 + $3 }'
}

# The first FRAMES frames of what ELEMENTS send, as raw I420; sets WIDTH and
# HEIGHT: write_clip TARGET ELEMENT...
write_clip() {
    local target=$1 caps
    shift
    caps=$(gst-launch-1.0 -v "$@" ! identity eos-after=$((FRAMES + 1)) ! \
        videoconvert ! video/x-raw,format=I420 ! \
        identity name=end silent=true ! filesink location="$target" |
        sed -n 's/.*end.GstPad:src: caps = //p')
    WIDTH=$(sed -E 's/.*width=\(int\)([0-9]*).*/\1/' <<<"$caps")
    HEIGHT=$(sed -E 's/.*height=\(int\)([0-9]*).*/\1/' <<<"$caps")
}

# The same of a file, which xz may have packed: unpack_clip FILE TARGET
unpack_clip() {
    local file=$1
    "$ROOT/pipelines/setup.sh" gstreamer1.0-libav gstreamer1.0-plugins-bad
    if [[ $file == *.xz ]]; then
        # y4mdec takes no first line of more than 80 characters.
        xz -dc "$file" | LC_ALL=C sed '1s/ X.*//' >"$TEMPORARY/unpacked"
        file=$TEMPORARY/unpacked
    fi
    write_clip "$2" filesrc location="$file" ! decodebin
}

# A folder that goes when the script ends.
make_temporary() {
    TEMPORARY=$(mktemp -d)
    trap 'rm -rf "$TEMPORARY"' EXIT
}

# Images in FOLDER of tiles with two of these sides, mosaic-WIDTH-HEIGHT.png, but
# of those so small that they would be noise: scattered or crowded, of black and
# white or of all grays: mosaics FOLDER SIDE...
mosaics() {
    local folder=$1 width height
    shift
    for width; do
        for height; do
            [ $((width * height)) -lt 4 ] || mosaic "$folder" "$width" "$height"
        done
    done
}

mosaic() {
    gst-launch-1.0 -q videotestsrc pattern=black num-buffers=1 ! \
        "video/x-raw,format=GRAY8,width=$((240 / $2)),height=$((240 / $3))" ! \
        aenoise seed=$(($2 * 10 + $3)) noise=gaussian:mean=-1..1,sd=0..2 ! \
        aenoise seed=$(($2 * 10 + $3)) noise=salt-pepper:p=0..0.3 ! \
        videoscale method=nearest-neighbour ! video/x-raw,width=240,height=240 ! \
        pngenc ! filesink location="$1/mosaic-$2-$3.png"
}

# What the scripts of the lesson's systems begin with: their arguments are
# [FOLDER [EPOCHS [SEEDS [OUT]]]], by default Fashion-MNIST, EPOCHS, one seed
# and out/. Builds, and sets the variables of these names.
#   begin SYSTEM EPOCHS "$@"
begin() {
    local system=$1
    EPOCHS=${4:-$2}
    FOLDER=${3:-$FASHION}
    SEEDS=${5:-1}
    OUT=${6:-out}
    build
    make_temporary
    mkdir -p "$OUT"
    echo "$system on $FOLDER, $EPOCHS epochs, seeds 1 to $SEEDS"
}

# The file of FOLDER's PART (train, t10k) that holds KIND (images, labels), if
# there is one: idx_file FOLDER PART KIND
idx_file() {
    local file
    for file in "$1/$2-$3"-idx?-ubyte{.gz,}; do
        [ ! -f "$file" ] || { echo "$file" && return; }
    done
}

# The header of an idx file with these dimensions: idx_header COUNT...
idx_header() {
    local n
    printf "\\0\\0\\010\\00$#"
    for n; do
        printf "$(printf '\\x%02x' $((n >> 24)) $((n >> 16 & 255)) \
            $((n >> 8 & 255)) $((n & 255)))"
    done
}

# Sets SOURCE to what sends FOLDER's PART: source_of FOLDER PART
source_of() {
    local labels
    labels=$(idx_file "$1" "$2" labels)
    SOURCE=(idxsrc location="$(idx_file "$1" "$2" images)"
        ${labels:+labels-location="$labels"})
}

# Trains on idx images, with their labels if they have; the log is MODEL.log.
#   train FOLDER EPOCHS SEED MODEL [PROPERTY=VALUE...]   (of aetrain)
train() {
    local folder=$1 epochs=$2 seed=$3 model=$4
    shift 4
    source_of "$folder" train
    gst-launch-1.0 -m "${SOURCE[@]}" epochs="$epochs" shuffle=true \
        seed="$seed" ! aetrain seed="$seed" model-file="$model" "$@" \
        >"$model.log" || die "Training failed: $(grep ERROR "$model.log")"
}

# Measures a model on the test images; the log is MODEL.test.
#   measure FOLDER SEED MODEL [PROPERTY=VALUE...]
measure() {
    local folder=$1 seed=$2 model=$3
    shift 3
    source_of "$folder" t10k
    gst-launch-1.0 -m "${SOURCE[@]}" ! aetrain seed=$((seed + 1000)) \
        model-file="$model" "$@" mode=evaluate >"$model.test" ||
        die "Measuring failed: $(grep ERROR "$model.test")"
}

# What measure() found: measured MODEL FIELD, such as loss, mse, psnr, kl.
measured() {
    message_field "$1.test" ae-evaluation "$2"
}

# The parts of the loss that measure() found, if it has several: parts MODEL
parts() {
    grep ae-evaluation "$1.test" |
        grep -oE '(reconstruction|kl|activity)=\(double\)[^,;]*' |
        awk -F '[=)]' '{ printf ", %s %.4f", $1, $3 }'
}

# The mean of the numbers that come, one a line: print_mean NAME
print_mean() {
    awk -v name="$1" '{ s += $1 }
        END { printf "mean of %d seeds: test %s %.4f\n", NR, name, s / NR }'
}

# Trains and measures with the seeds 1 .. SEEDS, OUT-1.onnx and so on; prints a
# line each and the mean of FIELD, which NAME says what it is.
#   train_seeds FOLDER EPOCHS SEEDS OUT FIELD NAME [PROPERTY=VALUE...]
train_seeds() {
    local folder=$1 epochs=$2 seeds=$3 out=$4 field=$5 name=$6 seed model
    shift 6
    : >"$TEMPORARY/values"
    for seed in $(seq "$seeds"); do
        model=$out-$seed.onnx
        train "$folder" "$epochs" "$seed" "$model" "$@"
        measure "$folder" "$seed" "$model" "$@"
        measured "$model" "$field" >>"$TEMPORARY/values"
        printf 'seed %d: test %s %.4f%s (%.0f images/s in training)\n' \
            "$seed" "$name" "$(measured "$model" "$field")" \
            "$(parts "$model")" \
            "$(message_field "$model.log" ae-training images-per-second)"
    done
    print_mean "$name" <"$TEMPORARY/values"
}

# The share of test images whose class 7 neighbours tell from a model's codes;
# those of the test images stay in MODEL.npy: neighbours FOLDER MODEL
neighbours() {
    {
        ae embed "$2" "$(idx_file "$1" train images)" -o "$TEMPORARY/train.npy"
        ae embed "$2" "$(idx_file "$1" t10k images)" -o "$2.npy"
    } >/dev/null
    ae knn "$TEMPORARY/train.npy" "$(idx_file "$1" train labels)" \
        "$2.npy" "$(idx_file "$1" t10k labels)" | cut -d ' ' -f 2
}

# The same of principal components and of the models of train_seeds():
#   neighbours_seeds FOLDER SEEDS OUT SIZE
neighbours_seeds() {
    local folder=$1 seeds=$2 out=$3 size=$4 seed
    ae pca "$(idx_file "$folder" train images)" -k "$size" -o "$out-pca.onnx"
    echo "their accuracy of 7 neighbours $(neighbours "$folder" \
        "$out-pca.onnx")"
    for seed in $(seq "$seeds"); do
        neighbours "$folder" "$out-$seed.onnx"
    done >"$TEMPORARY/values"
    print_mean "accuracy of 7 neighbours" <"$TEMPORARY/values"
}

# The PSNR of enlarging without a network, whose models stay in TEMPORARY:
#   plain_ways FOLDER CHANNELS SCALE [PROPERTY=VALUE...]
plain_ways() {
    local folder=$1 channels=$2 scale=$3 name model
    shift 3
    for name in nearest bilinear bicubic; do
        model=$TEMPORARY/$name.onnx
        ae new $name --channels "$channels" --scale "$scale" -o "$model"
        measure "$folder" 1 "$model" task=superres scale="$scale" "$@"
        printf '%s: test PSNR %.4f\n' $name "$(measured "$model" psnr)"
    done
}

# A picture of the first ten test images: made smaller, to a side of SIDE pixels
# and enlarged as plain_ways() left it; enlarged by MODEL; as they were.
#   show_enlarged FOLDER SIDE MODEL PICTURE
show_enlarged() {
    local folder=$1 side=$2 model=$3 picture=$4
    gst-launch-1.0 -q idxsrc num-buffers=10 \
        location="$(idx_file "$folder" t10k images)" ! tee name=t \
        t. ! queue ! pngenc ! multifilesink location="$TEMPORARY/c%d.png" \
        t. ! queue ! videoscale ! video/x-raw,width="$side",height="$side" ! \
        tee name=small small. ! queue ! \
        aesuperres model-file="$TEMPORARY/nearest.onnx" ! pngenc ! \
        multifilesink location="$TEMPORARY/a%d.png" \
        small. ! queue ! aesuperres model-file="$model" ! pngenc ! \
        multifilesink location="$TEMPORARY/b%d.png"
    ae figure grid 3x10 "$TEMPORARY"/[abc]?.png --zoom 3 \
        --row-captions small,enlarged,original -o "$picture"
    echo "picture: $picture"
}

# A picture of noise in colour, of 8 x 8 pixels, enlarged 4 times as
# plain_ways() left it and by MODEL: show_noise MODEL PICTURE
show_noise() {
    gst-launch-1.0 -q videotestsrc num-buffers=10 pattern=solid-color \
        foreground-color=0xff808080 ! \
        video/x-raw,format=RGB,width=8,height=8 ! \
        aenoise noise=uniform:width=1 seed=1 ! tee name=t \
        t. ! queue ! aesuperres model-file="$TEMPORARY/nearest.onnx" ! \
        pngenc ! multifilesink location="$TEMPORARY/a%d.png" \
        t. ! queue ! aesuperres model-file="$1" ! \
        pngenc ! multifilesink location="$TEMPORARY/b%d.png"
    ae figure grid 2x10 "$TEMPORARY"/[ab]?.png --zoom 3 \
        --row-captions noise,enlarged -o "$2"
    echo "picture: $2"
}

# The PSNR of the images of one idx file beside another's: psnr_of FILE FILE
psnr_of() {
    gst-launch-1.0 -m idxsrc location="$1" ! c.sink \
        idxsrc location="$2" ! c.reference \
        aecompare name=c messages=false ! fakesink sync=false \
        >"$TEMPORARY/compared" || die "$(grep ERROR "$TEMPORARY/compared")"
    message_field "$TEMPORARY/compared" ae-compare-total psnr
}

# The first ten images of an idx file as PREFIX0.png to PREFIX9.png, after
# ELEMENTS if there are any: ten_pictures FILE PREFIX [ELEMENTS...]
ten_pictures() {
    local file=$1 prefix=$2
    shift 2
    gst-launch-1.0 -q idxsrc num-buffers=10 location="$file" ${1:+! "$@"} ! \
        pngenc ! multifilesink location="$prefix%d.png"
}

# A picture of the plane of a code of two values, COUNT x COUNT points from
# -RANGE to RANGE: show_plane MODEL COUNT RANGE PICTURE
show_plane() {
    ae figure manifold "$1" --count "$2" --range "$3" -o "$4"
    echo "picture: $4"
}

# A picture of the codes of the test images, coloured by label, a panel a model:
#   show_codes FOLDER PICTURE CAPTIONS MODEL...
show_codes() {
    local folder=$1 picture=$2 captions=$3 model codes=()
    shift 3
    for model; do
        codes+=("$TEMPORARY/codes${#codes[@]}.npy")
        ae embed "$model" "$(idx_file "$folder" t10k images)" -o "${codes[-1]}"
    done
    ae figure scatter "$(idx_file "$folder" t10k labels)" "${codes[@]}" \
        --captions "$captions" -o "$picture"
    echo "picture: $picture"
}

# A picture of what models make of ten random codes each, a row a model:
#   show_random PICTURE CAPTIONS MODEL...
show_random() {
    local picture=$1 captions=$2 model prefix rows=()
    shift 2
    for model; do
        prefix=$TEMPORARY/random${#rows[@]}-
        gst-launch-1.0 -q vaesample model-file="$model" num-buffers=10 seed=1 ! \
            video/x-raw,format=GRAY8 ! pngenc ! \
            multifilesink location="$prefix%d.png"
        rows+=("$prefix"?.png)
    done
    ae figure grid $#x10 "${rows[@]}" --zoom 3 --row-captions "$captions" \
        -o "$picture"
    echo "picture: $picture"
}

# A picture of the first ten images of an idx file, and of what becomes of them
# when noise of each SD is added to their codes. The decoded images of the whole
# file stay in TEMPORARY/SD.idx: show_noisy_codes FILE MODEL PICTURE SD...
show_noisy_codes() {
    local file=$1 model=$2 picture=$3 sd rows
    shift 3
    ae embed "$model" "$file" -o "$TEMPORARY/codes.npy"
    ten_pictures "$file" "$TEMPORARY/image"
    rows=("$TEMPORARY"/image?.png)
    for sd; do
        ae decode "$model" "$TEMPORARY/codes.npy" -o "$TEMPORARY/$sd.idx" \
            --noise "gaussian:sd=$sd,clip=false"
        ten_pictures "$TEMPORARY/$sd.idx" "$TEMPORARY/noise$sd-"
        rows+=("$TEMPORARY/noise$sd-"?.png)
    done
    ae figure grid $(($# + 1))x10 "${rows[@]}" --zoom 3 \
        --row-captions "image$(printf ',sd %s' "$@")" -o "$picture"
    echo "picture: $picture"
}

# MNIST where it is, to stand for digits; else Fashion-MNIST.
digits() {
    [ -d "$AE_DATA/mnist" ] && echo "$AE_DATA/mnist" || echo "$FASHION"
}

# A folder with test images of another kind than FOLDER's: Fashion-MNIST, or for
# that a moving pattern of rings: foreign_to FOLDER
foreign_to() {
    local file=$TEMPORARY/t10k-images-idx3-ubyte
    [ "$1" = "$FASHION" ] || { echo "$FASHION" && return; }
    gst-launch-1.0 -q videotestsrc num-buffers=1000 pattern=zone-plate \
        kx2=20 ky2=20 kt=7 ! video/x-raw,format=GRAY8,width=28,height=28 ! \
        filesink location="$TEMPORARY/raw"
    { idx_header 1000 28 28 && cat "$TEMPORARY/raw"; } >"$file"
    echo "$TEMPORARY"
}

# A picture of the first ten test images and of what MODEL makes of them:
#   show_rows FOLDER MODEL PICTURE
show_rows() {
    local images
    images=$(idx_file "$1" t10k images)
    ten_pictures "$images" "$TEMPORARY/a"
    ten_pictures "$images" "$TEMPORARY/b" aedenoise temporal=false \
        model-file="$2"
    ae figure grid 2x10 "$TEMPORARY"/[ab]?.png --zoom 3 \
        --row-captions input,output -o "$3"
    echo "picture: $3"
}

# The same with noise, and the images without it below:
#   show_denoised FOLDER MODEL PICTURE NOISE
show_denoised() {
    local images noise=(aenoise noise="$4" seed=7)
    images=$(idx_file "$1" t10k images)
    ten_pictures "$images" "$TEMPORARY/a" "${noise[@]}"
    ten_pictures "$images" "$TEMPORARY/b" "${noise[@]}" ! \
        aedenoise temporal=false model-file="$2"
    ten_pictures "$images" "$TEMPORARY/c"
    ae figure grid 3x10 "$TEMPORARY"/[abc]?.png --zoom 3 \
        --row-captions noisy,denoised,original -o "$3"
    echo "picture: $3"
}

# Links the files whose names come, one a line, in a row that multifilesrc reads:
#   link_numbered FOLDER SUFFIX
link_numbered() {
    local i=0 file
    while read -r file; do
        ln "$file" "$(printf '%s/%05d%s' "$1" $i "$2")"
        i=$((i + 1))
    done
}

# unpack_set SET: its pictures, in a folder of that name.
unpack_set() {
    [ -f "$AE_DATA/$1/$1.tar" ] ||
        die "$1 is not in $AE_DATA: set AE_DATA to the folder of the data."
    mkdir "$TEMPORARY/$1"
    tar xf "$AE_DATA/$1/$1.tar" -C "$TEMPORARY/$1"
}

# Links the pictures below FOLDER whose names end in SUFFIX, by name:
# FOLDER/PREFIX001.png and so on, or what else the suffix ends in.
#   number_pictures FOLDER SUFFIX PREFIX
number_pictures() {
    local i=0 file
    find "$1" -name "*$2" | sort | while read -r file; do
        i=$((i + 1))
        ln "$file" "$(printf '%s/%s%03d.%s' "$1" "$3" $i "${2##*.}")"
    done
}

# Of the PNG files that come, one a line, those with no side below SIDE pixels:
#   at_least SIDE
at_least() {
    local picture
    while read -r picture; do
        if [ "$(png_side "$picture" 16)" -ge "$1" ] &&
            [ "$(png_side "$picture" 20)" -ge "$1" ]; then
            echo "$picture"
        fi
    done
}

# Independent noise of SIGMA levels of 255, as aenoise takes it: gaussian SIGMA
gaussian() {
    awk "BEGIN { print \"gaussian:sd=\" $1 / 255 }"
}

# The lines that come, in an order that is mixed but always the same.
mixed() {
    awk '{ print (NR * 7919) % 1000003 "\t" $0 }' | sort -n | cut -f 2
}

# The width or height of a PNG file: png_side FILE 16, png_side FILE 20
png_side() {
    od -An -j "$2" -N 4 -t u4 --endian=big "$1" | tr -d ' '
}
