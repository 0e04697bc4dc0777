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
# MODEL-SEED.onnx, their logs, and the pictures, MODEL-KIND.png.
set -euo pipefail
. "$(dirname "$0")/lib/common.sh"
. "$ROOT/pipelines/lib/idx.sh"
. "$ROOT/pipelines/lib/pictures.sh"

TABLE=$ROOT/pipelines/lib/lesson.table
declare -A PROPERTIES # of each model that the row has trained

list_rows() {
    awk '/^[a-z]/ { name = $1; epochs = $2; sub(/^[^ ]+ [^ ]+ [^ ]+ /, "")
        printf "%-12s%4d epochs  %s\n", name, epochs, $0 }' "$TABLE"
}

# The steps of a row, one a line: steps_of ROW
steps_of() {
    sed -E -e ':a' -e '$!N' -e 's/\n {8}/ /' -e ta -e P -e D "$TABLE" |
        awk -v row="$1" '/^[^ ]/ { mine = $1 == row; next } mine'
}

# The mean of the numbers that come, one a line: print_mean NAME
print_mean() {
    awk -v name="$1" '{ s += $1 }
        END { printf "%s, mean of %d seeds: %.4f\n", name, NR, s / NR }'
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
    PROPERTIES[$name]=$*
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

# Sets SET to FOLDER, or for "other" to a folder with test images of another
# kind: Fashion-MNIST, or rings that move where FOLDER is Fashion-MNIST.
choose_set() {
    SET=$FOLDER
    [ "${1:-own}" = other ] || return 0
    SET=$FASHION
    [ "$FOLDER" = "$FASHION" ] || return 0
    SET=$TEMPORARY/rings
    mkdir -p "$SET"
    write_frames 1000 "$SET/t10k-images-idx3-ubyte" videotestsrc \
        num-buffers=1000 pattern=zone-plate kx2=20 ky2=20 kt=7
}

# lesson_rebuilt MODEL [other]
lesson_rebuilt() {
    choose_set "${2:-}"
    show_rebuilt "$SET" "$OUT/$1-1.onnx" "$OUT/$1-rebuilt.png"
}

# How much of the noise of its training a denoiser removes.
#   lesson_denoised MODEL [other]
lesson_denoised() {
    local model=$OUT/$1-1.onnx noise=${PROPERTIES[$1]##*noise=}
    noise=${noise%% *}
    choose_set "${2:-}"
    cp "$model" "$TEMPORARY/denoiser.onnx"
    idx_source "$SET" t10k
    REFERENCE=("${SOURCE[@]}")
    compare "$1, noise" "$COUNT" "${SOURCE[@]}" ! aenoise noise="$noise" seed=1
    measure "$SET" 1 "$TEMPORARY/denoiser.onnx" ${PROPERTIES[$1]}
    printf '%s: noisy %.2f dB, denoised %.2f dB (BCE %.4f)\n' "$SET" \
        "$(compared psnr)" "$(measured "$TEMPORARY/denoiser.onnx" psnr)" \
        "$(measured "$TEMPORARY/denoiser.onnx" loss)"
    show_denoised "$SET" "$model" "$OUT/$1-denoised${2:+-$2}.png" "$noise"
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

# lesson_enlarged MODEL SIDE SCALE
lesson_enlarged() {
    show_enlarged "$FOLDER" "$2" "$3" "$OUT/$1-1.onnx" "$OUT/$1-enlarged.png"
}

lesson_noise() {
    show_noise "$OUT/$1-1.onnx" "$OUT/$1-noise.png"
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

# lesson_scatter MODEL...
lesson_scatter() {
    local name models=()
    for name; do
        models+=("$name" "$OUT/$name-1.onnx")
    done
    show_codes "$FOLDER" "$OUT/$1-codes.png" "${models[@]}"
}

# lesson_plane MODEL COUNT RANGE
lesson_plane() {
    draw "$OUT/$1-plane.png" manifold "$OUT/$1-1.onnx" --count "$2" --range "$3"
}

lesson_random() {
    show_random "$OUT/$1-random.png" "$1" "$OUT/$1-1.onnx"
}

# The accuracy of 7 neighbours among the training images: how many of COUNT
# images they take for LABELS, a file or the number of one class.
#   recognised FILE LABELS COUNT
recognised() {
    local labels=$2
    if [ ! -f "$labels" ]; then
        labels=$TEMPORARY/class
        { idx_header "$3" && head -c "$3" /dev/zero |
            tr '\0' "\\$(printf %03o "$2")"; } >"$labels"
    fi
    ae knn "$(idx_file "$FOLDER" train images)" \
        "$(idx_file "$FOLDER" train labels)" "$1" "$labels"
}

# How many of 1,000 images are taken for each class: by_class FILE
by_class() {
    local class
    for class in {0..9}; do
        recognised "$1" "$class" 1000 | sed -E 's/.*\(([0-9]+) of.*/\1/'
    done | paste -s -d ' '
}

# lesson_classes MODEL
lesson_classes() {
    write_frames 1000 "$TEMPORARY/decoded" vaesample num-buffers=1000 seed=2 \
        model-file="$OUT/$1-1.onnx"
    echo "1000 random codes, decoded by $1, by class:" \
        "$(by_class "$TEMPORARY/decoded")"
}

# Whether samples show the label that was asked for: lesson_labels MODEL
lesson_labels() {
    local seed class
    for seed in $(seq "$SEEDS"); do
        for class in {0..9}; do
            write_frames 1000 "$TEMPORARY/samples" vaesample label="$class" \
                seed="$class" num-buffers=1000 model-file="$OUT/$1-$seed.onnx"
            recognised "$TEMPORARY/samples" "$class" 1000
        done | tr -d '(' | awk -v name="$1-$seed" '{ right += $3; n += $5 }
            END { printf "%s, samples: accuracy %.4f (%d of %d)\n", name,
                right / n, right, n }'
    done
    draw "$OUT/$1-labels.png" labels "$OUT/$1-1.onnx"
}

# The rank of the first image of another kind by its error: lesson_rank MODEL
lesson_rank() {
    local seed
    choose_set other
    for seed in $(seq "$SEEDS"); do
        ae error "$OUT/$1-$seed.onnx" "$(idx_file "$FOLDER" t10k images)" \
            "$(idx_file "$SET" t10k images)"
    done
}

# What the discriminator got right at its best and in the last 20 messages.
#   lesson_discriminator MODEL
lesson_discriminator() {
    local seed
    for seed in $(seq "$SEEDS"); do
        grep -o 'discriminator-accuracy=(double)[^,;]*' \
            "$OUT/$1-$seed.onnx.log" | awk -F ')' -v name="$1-$seed" '
            { all[NR] = $2; if ($2 > most) most = $2 }
            END { for (i = NR; i > 0 && i > NR - 20; i--) last += all[i]
                printf "%s: the discriminator is right in %.3f at best, "\
                    "%.3f at the end\n", name, most,
                    last / (NR < 20 ? NR : 20) }'
    done
}

# What becomes of images when noise is added to their codes.
#   lesson_noisy-codes MODEL SD...
lesson_noisy-codes() {
    local sd images
    images=$(idx_file "$FOLDER" t10k images)
    idx_source "$FOLDER" t10k
    REFERENCE=("${SOURCE[@]}")
    show_noisy_codes "$images" "$OUT/$1-1.onnx" "$OUT/$1-noise.png" "${@:2}"
    for sd in "${@:2}"; do
        compare "noise of sd $sd" "$COUNT" idxsrc location="$TEMPORARY/$sd.idx"
        printf 'noise of sd %s: PSNR %.2f dB, %s\n' "$sd" "$(compared psnr)" \
            "$(recognised "$TEMPORARY/$sd.idx" \
                "$(idx_file "$FOLDER" t10k labels)" 0)"
    done
}

# What a model loses of test images: lesson_errors MODEL own|other
lesson_errors() {
    local model=$TEMPORARY/measured.onnx
    cp "$OUT/$1-1.onnx" "$model"
    choose_set "$2"
    measure "$SET" 1 "$model" loss=bce
    printf '%s on %s: BCE %.4f' "$1" "$SET" "$(measured "$model" loss)"
    measure "$SET" 1 "$model" loss=l1
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
    od -An -v -t f4 -w16 -N 16 "$TEMPORARY/moments" |
        awk '{ printf "the first image: the encoder says mean %.4f, %.4f, "\
            "sd %.4f, %.4f\n", $1, $2, exp($3 / 2), exp($4 / 2) }'
    od -An -v -t f4 -w8 "$TEMPORARY/sample" |
        awk '{ a += $1; b += $2; aa += $1 * $1; bb += $2 * $2 }
            END { a /= NR; b /= NR; printf "of %d samples: mean %.4f, %.4f, "\
                "sd %.4f, %.4f\n", NR, a, b, sqrt(aa / NR - a * a),
                sqrt(bb / NR - b * b) }'
}

# A walk of 40 random codes, 25 frames from one to the next: lesson_walk MODEL
lesson_walk() {
    local step
    write_frames 1000 "$TEMPORARY/walk" vaesample mode=walk seed=1 \
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
    train "$set" "$EPOCHS" 1 "$TEMPORARY/none.onnx" "${properties[@]}"
    zcat -f "$(idx_file "$FOLDER" train labels)" >"$TEMPORARY/labels"
    {
        head -c 8 "$TEMPORARY/labels"
        tail -c +10 "$TEMPORARY/labels"
        head -c 9 "$TEMPORARY/labels" | tail -c 1
    } >"$set/train-labels-idx1-ubyte"
    train "$set" "$EPOCHS" 1 "$TEMPORARY/wrong.onnx" "${properties[@]}"
    for kind in none wrong; do
        cmp "$TEMPORARY/right.onnx" "$TEMPORARY/$kind.onnx" ||
            die "With labels and with $kind, the models differ."
    done
    echo "trained with labels, without, and with wrong ones: the same bytes"
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
        {
            idx_header $(($(stat -c %s "$TEMPORARY/raw") / 3072)) 32 32 3
            cat "$TEMPORARY/raw"
        } >"$FOLDER/${part/test/t10k}-images-idx4-ubyte"
    done
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
    echo "$ROW on $FOLDER, $EPOCHS epochs, seeds 1 to $SEEDS"
    mapfile -t steps < <(steps_of "$ROW")
    for step in "${steps[@]}"; do
        read -ra step <<<"$step"
        "lesson_${step[0]}" "${step[@]:1}"
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
