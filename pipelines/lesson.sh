#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The autoencoders of the lesson, of the Keras blog and of their other sources:
# trains the models of a row of pipelines/lib/lesson.table, measures them on the
# test images, prints the source's figure below, and draws pictures.
#
#   pipelines/lesson.sh                                    lists the rows
#   pipelines/lesson.sh ROW [FOLDER [EPOCHS [SEEDS [OUT]]]]
#   pipelines/lesson.sh all [FOLDER [EPOCHS [SEEDS [OUT]]]]
#
# FOLDER has the four MNIST-style idx files; default: as the row says. For s9 it
# is a tar archive of train/ and test/ with JPEG images of 32x32 pixels. SEEDS
# (1): models are trained with the seeds 1 to SEEDS. OUT (out): gets the models,
# MODEL-SEED.onnx, their logs, and the pictures.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/idx.sh"
. "$ROOT/pipelines/lib/pictures.sh"

TABLE=$ROOT/pipelines/lib/lesson.table

list_rows() {
    awk '/^[a-z]/ { name = $1; epochs = $2; sub(/^[^ ]+ [^ ]+ [^ ]+ /, "")
        printf "%-12s%4d epochs  %s\n", name, epochs, $0 }' "$TABLE"
}

# The steps of a row, one a line: steps_of ROW
steps_of() {
    sed -E -e ':a' -e '$!N' -e 's/\n {8}/ /' -e ta -e P -e D "$TABLE" |
        awk -v row="$1" '/^[^ ]/ { mine = $1 == row; next } mine' | tr ';' '\n'
}

# The mean of the numbers that come, one a line: print_mean NAME
print_mean() {
    awk -v name="$1" '{ s += $1 }
        END { printf "%s, mean of %d: %.4f\n", name, NR, s / NR }'
}

# Trains and measures MODEL with every seed. A falling rate reaches 0 at the end
# of the epochs: lesson_train MODEL LABEL FIELD PROPERTY=VALUE...
lesson_train() {
    local name=$1 label=$2 field=$3 seed model batch=128
    shift 3
    idx_source "$FOLDER" train
    [[ ! $* =~ batch-size=([0-9]+) ]] || batch=${BASH_REMATCH[1]}
    [[ $* != *schedule=* || $* == *max-steps=* ]] ||
        set -- "$@" max-steps=$((EPOCHS * COUNT / batch))
    for seed in $(seq "$SEEDS"); do
        model=$OUT/$name-$seed.onnx
        train "$FOLDER" "$EPOCHS" "$seed" "$model" "$@"
        measure "$FOLDER" "$seed" "$model" "$@"
        printf '%s-%d: test %s %.4f%s (%.0f images/s in training)\n' "$name" \
            "$seed" "$label" "$(measured "$model" "$field")" \
            "$(others "$model" "$field")" \
            "$(message_field "$model.log" ae-training images-per-second)"
        measured "$model" "$field" >>"$TEMPORARY/$name"
    done
    print_mean "$name, test $label" <"$TEMPORARY/$name"
}

# What measure() found beside FIELD: parts of the loss and PSNR.
#   others MODEL FIELD
others() {
    grep ae-evaluation "$1.test" |
        grep -oE '(reconstruction|kl|activity|psnr)=\(double\)[^,;]*' |
        awk -F '[=)]' -v field="$2" \
            '$1 != field { printf ", %s %.4f", $1, $3 }'
}

lesson_published() {
    echo "published: $*"
}

lesson_draw() {
    "picture_$2" "$1" "${@:3}"
}

# How much of the noise of its training a denoiser removes.
#   lesson_denoise MODEL [other]
lesson_denoise() {
    local model=$OUT/$1-1.onnx set=$FOLDER noise
    noise=$(model_says "$1" noise)
    [ -z "${2:-}" ] || set=$OTHER
    idx_source "$set" t10k
    REFERENCE=("${SOURCE[@]}")
    compare "$1, noise" "$COUNT" "${SOURCE[@]}" ! aenoise noise="$noise" seed=1
    measure "$set" 1 "$model" task=denoise noise="$noise" loss=bce
    printf '%s: noisy %.2f dB, denoised %.2f dB (BCE %.4f)\n' "$set" \
        "$(compared psnr)" "$(measured "$model" psnr)" "$(measured "$model" loss)"
}

# Enlarging without training: lesson_interpolation CHANNELS SCALE [PROPERTY...]
lesson_interpolation() {
    local name model
    for name in nearest bilinear bicubic; do
        model=$TEMPORARY/$name.onnx
        ae new $name --channels "$1" --scale "$2" -o "$model"
        measure "$FOLDER" 1 "$model" task=superres scale="$2" "${@:3}"
        printf '%s: test PSNR %.2f dB\n' $name "$(measured "$model" psnr)"
    done
}

# The moments of the test images' codes, and the share of the test images whose
# class 7 neighbours among the training images tell by the code.
#   lesson_codes MODEL
lesson_codes() {
    local seed
    for seed in $(seq "$SEEDS"); do
        neighbours "$1-$seed" "$OUT/$1-$seed.onnx"
    done
    sed 's/.*accuracy //; s/ .*//' "$TEMPORARY/neighbours-$1"* |
        print_mean "$1, accuracy of 7 neighbours"
}

# neighbours NAME MODEL
neighbours() {
    ae embed "$2" "$(idx_file "$FOLDER" train images)" \
        -o "$TEMPORARY/train.npy" >/dev/null
    echo "$1: $(ae embed "$2" "$(idx_file "$FOLDER" t10k images)" \
        -o "$TEMPORARY/test.npy"); $(ae knn "$TEMPORARY/train.npy" \
        "$(idx_file "$FOLDER" train labels)" "$TEMPORARY/test.npy" \
        "$(idx_file "$FOLDER" t10k labels)")" | tee "$TEMPORARY/neighbours-$1"
}

# As many principal components as a code has values: lesson_components SIZE
lesson_components() {
    local model=$OUT/$ROW-components-1.onnx
    ae pca "$(idx_file "$FOLDER" train images)" -k "$1" -o "$model"
    neighbours "$1 components" "$model"
}

# What 7 neighbours among the training images take images for: the share that is
# labelled as in an idx file: recognised IMAGES LABELS
recognised() {
    ae knn "$(idx_file "$FOLDER" train images)" \
        "$(idx_file "$FOLDER" train labels)" "$@"
}

# Labels of the same class as an idx file: same_class CLASS COUNT FILE
same_class() {
    { idx_header "$2" && head -c "$2" /dev/zero |
        tr '\0' "\\$(printf %03o "$1")"; } >"$3"
}

# How many of 1,000 images are taken for each class: by_class IMAGES
by_class() {
    local class
    for class in {0..9}; do
        same_class "$class" 1000 "$TEMPORARY/class"
        recognised "$1" "$TEMPORARY/class" |
            sed -E 's/.*\(([0-9]+) of.*/\1/'
    done | paste -s -d ' '
}

# lesson_classes MODEL
lesson_classes() {
    write_frames "$TEMPORARY/decoded" vaesample num-buffers=1000 seed=2 \
        model-file="$OUT/$1-1.onnx"
    echo "1000 random codes, decoded by $1, by class:" \
        "$(by_class "$TEMPORARY/decoded")"
}

# Whether samples show the label that was asked for: lesson_labels MODEL
lesson_labels() {
    local seed class
    for seed in $(seq "$SEEDS"); do
        for class in {0..9}; do
            write_frames "$TEMPORARY/samples" vaesample label="$class" \
                seed="$class" num-buffers=1000 model-file="$OUT/$1-$seed.onnx"
            same_class "$class" 1000 "$TEMPORARY/class"
            recognised "$TEMPORARY/samples" "$TEMPORARY/class"
        done | sed 's/accuracy //; s/ .*//' |
            print_mean "$1-$seed, samples: accuracy"
    done
}

# The rank of the first image of another kind by its error: lesson_rank MODEL
lesson_rank() {
    local seed
    for seed in $(seq "$SEEDS"); do
        ae error "$OUT/$1-$seed.onnx" "$(idx_file "$FOLDER" t10k images)" \
            "$(idx_file "$OTHER" t10k images)"
    done
}

# What the discriminator got right at its best and in the last 20 messages.
#   lesson_discriminator MODEL
lesson_discriminator() {
    local seed right
    for seed in $(seq "$SEEDS"); do
        right=$(sed -nE 's/.*discriminator-accuracy=\(double\)([^,;]*).*/\1/p' \
            "$OUT/$1-$seed.onnx.log")
        echo "$1-$seed: the discriminator is right in" \
            "$(sort -g <<<"$right" | tail -n 1) at best"
        tail -n 20 <<<"$right" | print_mean "$1-$seed, at the end"
    done
}

# What becomes of images when noise is added to their codes.
#   lesson_noisy-codes MODEL SD...
lesson_noisy-codes() {
    local sd
    idx_source "$FOLDER" t10k
    REFERENCE=("${SOURCE[@]}")
    for sd in "${@:2}"; do
        decode_noisy "$1" "$sd"
        compare "noise of sd $sd" "$COUNT" idxsrc location="$TEMPORARY/$sd.idx"
        printf 'noise of sd %s: PSNR %.2f dB, %s\n' "$sd" "$(compared psnr)" \
            "$(recognised "$TEMPORARY/$sd.idx" \
                "$(idx_file "$FOLDER" t10k labels)")"
    done
}

# What a model loses of test images: lesson_errors MODEL [other]
lesson_errors() {
    local model=$OUT/$1-1.onnx set=$FOLDER
    [ -z "${2:-}" ] || set=$OTHER
    measure "$set" 1 "$model" loss=bce
    printf '%s on %s: BCE %.4f' "$1" "$set" "$(measured "$model" loss)"
    measure "$set" 1 "$model" loss=l1
    printf ', absolute error %.4f, squared error %.5f\n' \
        "$(measured "$model" loss)" "$(measured "$model" mse)"
}

# What the encoder says of the first test image's code, and the moments of 1,000
# codes that it draws: lesson_samples MODEL
lesson_samples() {
    local output
    for output in moments sample; do
        gst-launch-1.0 -q idxsrc num-buffers=1 \
            location="$(idx_file "$FOLDER" t10k images)" ! \
            imagefreeze num-buffers=1000 ! \
            aeencode model-file="$OUT/$1-1.onnx" output=$output seed=1 ! \
            filesink location="$TEMPORARY/$output"
    done
    {
        od -An -v -t f4 -w16 -N 16 "$TEMPORARY/moments"
        od -An -v -t f4 -w8 "$TEMPORARY/sample"
    } | awk 'NR == 1 { printf "the first image: mean %.4f, %.4f, sd %.4f, %.4f by "\
            "the encoder; ", $1, $2, exp($3 / 2), exp($4 / 2); next }
        { n++; a += $1; b += $2; aa += $1 * $1; bb += $2 * $2 }
        END { printf "%.4f, %.4f, %.4f, %.4f of %d samples\n", a / n, b / n,
            sqrt(aa / n - a * a / n / n), sqrt(bb / n - b * b / n / n), n }'
}

# A walk of 40 random codes, 25 frames from one to the next: lesson_walk MODEL
lesson_walk() {
    local step
    write_frames "$TEMPORARY/walk" vaesample mode=walk seed=1 \
        frames-per-step=25 num-buffers=1000 model-file="$OUT/$1-1.onnx"
    REFERENCE=(idxsrc location="$TEMPORARY/walk")
    for step in 1 25; do
        { idx_header $((1000 - step)) 28 28 &&
            tail -c +$((784 * step + 1)) "$TEMPORARY/raw"; } >"$TEMPORARY/later"
        compare "a walk" 1000 idxsrc location="$TEMPORARY/later"
        printf 'a walk: squared difference %.5f after %d frames\n' \
            "$(compared mse)" $step
    done
    echo "its 1000 frames, by class: $(by_class "$TEMPORARY/walk")"
}

# Whether labels change what is learned.
lesson_unlabelled() {
    local set=$TEMPORARY/set kind
    local properties=(architecture=shallow loss=bce)
    mkdir "$set"
    ln -s "$(realpath "$(idx_file "$FOLDER" train images)")" "$set/"
    train "$FOLDER" "$EPOCHS" 1 "$TEMPORARY/right.onnx" "${properties[@]}"
    train "$set" "$EPOCHS" 1 "$TEMPORARY/no.onnx" "${properties[@]}"
    same_class 0 "$COUNT" "$set/train-labels-idx1-ubyte"
    train "$set" "$EPOCHS" 1 "$TEMPORARY/wrong.onnx" "${properties[@]}"
    for kind in no wrong; do
        cmp "$TEMPORARY/right.onnx" "$TEMPORARY/$kind.onnx" ||
            die "With $kind labels the model is another."
    done
    echo "trained with right, no and wrong labels: the same bytes"
}

# Sets FOLDER to a folder of the images of a tar archive: unpack_archive ARCHIVE
unpack_archive() {
    local part
    [ -f "$1" ] || die "There is no $1: give an archive of images."
    FOLDER=$TEMPORARY/images
    mkdir "$FOLDER"
    for part in train test; do
        tar xf "$1" --to-stdout --wildcards "*$part/*.jpg" |
            gst-launch-1.0 -q fdsrc ! \
                image/jpeg,width=32,height=32,framerate=30/1 ! jpegdec ! \
                videoconvert ! video/x-raw,format=RGB ! \
                filesink location="$TEMPORARY/raw"
        write_idx "$FOLDER/${part/test/t10k}-images-idx4-ubyte" 32 32 3
    done
}

# Sets OTHER to a folder with test images of another kind than FOLDER's:
# Fashion-MNIST, or rings that move where FOLDER is Fashion-MNIST.
choose_other() {
    OTHER=$FASHION
    [ "$FOLDER" = "$FASHION" ] || return 0
    OTHER=$TEMPORARY
    write_frames "$OTHER/t10k-images-idx3-ubyte" videotestsrc num-buffers=1000 \
        pattern=zone-plate kx2=20 ky2=20 kt=7
}

run_row() {
    local data epochs steps step
    read -r epochs data <<<"$(awk -v row="$ROW" \
        '/^[a-z]/ && $1 == row { print $2, $3 }' "$TABLE")"
    [ -n "$epochs" ] || die "There is no row '$ROW'; the rows are:
$(list_rows)"
    EPOCHS=${EPOCHS:-$epochs}
    build
    make_temporary
    mkdir -p "$OUT"
    case $data in
    cifar10)
        [ -f "$FOLDER" ] || FOLDER=$AE_DATA/cifar10/cifar10_jpg.tar.xz
        unpack_archive "$FOLDER"
        ;;
    mnist) FOLDER=${FOLDER:-$(digits)} ;;
    *) FOLDER=${FOLDER:-$FASHION} ;;
    esac
    MODELS=$OUT LABELLED=$FOLDER
    choose_other
    echo "$ROW on $FOLDER, $EPOCHS epochs, seeds 1 to $SEEDS"
    mapfile -t steps < <(steps_of "$ROW")
    for step in "${steps[@]}"; do
        read -ra step <<<"$step"
        "lesson_${step[0]/gallery/draw}" "${step[@]:1}"
    done
    [[ ${steps[*]} == *published* ]] || lesson_published no figure
}

ROW=${1:-} FOLDER=${2:-} EPOCHS=${3:-} SEEDS=${4:-1} OUT=${5:-out}
case $ROW in
"") list_rows ;;
all)
    failed=
    for row in $(awk '/^[a-z]/ { print $1 }' "$TABLE"); do
        "$0" "$row" "${@:2}" || failed+=" $row"
    done
    [ -z "$failed" ] || die "These rows failed:$failed"
    ;;
*) run_row ;;
esac
