# SPDX-License-Identifier: LGPL-2.1-or-later
# Pictures and clips of the data sets in AE_DATA; source it after common.sh.

# need_data FILE: of AE_DATA, without which the script ends.
need_data() {
    [ -f "$AE_DATA/$1" ] || die "There is no $AE_DATA/$1:" \
        "set AE_DATA to the folder of the data sets."
}

# Unpacks the pictures of SET into a folder of this name in TEMPORARY.
#   unpack_set SET
unpack_set() {
    need_data "$1/$1.tar"
    mkdir "$TEMPORARY/$1"
    tar xf "$AE_DATA/$1/$1.tar" -C "$TEMPORARY/$1"
}

# Links the files whose names it reads, one a line, as PATTERN with 1, 2, ...: a
# row that read_pictures() reads: link_numbered FOLDER/PREFIX%03d.SUFFIX
link_numbered() {
    local i=0 file
    while read -r file; do
        i=$((i + 1))
        # shellcheck disable=SC2059
        ln "$file" "$(printf "$1" $i)"
    done
}

# Links the files below FOLDER whose names end in SUFFIX, sorted by name, as
# FOLDER/PREFIX001.png, FOLDER/PREFIX002.png, ...; .jpg where the suffix ends so.
#   number_pictures FOLDER SUFFIX PREFIX
number_pictures() {
    find "$1" -name "*$2" | sort | link_numbered "$1/$3%03d.${2##*.}"
}

# Sets SOURCE to what sends the pictures that link_numbered() linked, and COUNT
# to their number: read_pictures PATTERN [PROPERTY=VALUE...] (of multifilesrc)
read_pictures() {
    local type=jpeg decoder=jpegdec
    [[ $1 != *.png ]] || type=png decoder=pngdec
    SOURCE=(multifilesrc location="$1" start-index=1
        caps="image/$type,framerate=1/1" "${@:2}" ! "$decoder")
    COUNT=$(compgen -G "${1/\%0?d/*}" | wc -l)
}

# The lines that it reads, in an order that is mixed but always the same.
mixed() {
    awk '{ print (NR * 7919) % 1000003 "\t" $0 }' | sort -n | cut -f 2
}

# The width or height of a PNG file: png_side FILE 16, png_side FILE 20
png_side() {
    od -An -j "$2" -N 4 -t u4 --endian=big "$1" | tr -d ' '
}

# Of the PNG files whose names it reads, one a line, the names of those with no
# side below SIDE pixels: at_least SIDE
at_least() {
    local picture
    while read -r picture; do
        if [ "$(png_side "$picture" 16)" -ge "$1" ] &&
            [ "$(png_side "$picture" 20)" -ge "$1" ]; then
            echo "$picture"
        fi
    done
}

# Pictures of tiles with two of these sides in pixels, as sharp as graphics:
# scattered or crowded, of black and white or of all grays. Tiles below 4 pixels
# would be noise: mosaics FOLDER SIDE...
mosaics() {
    local width height seed
    for width in "${@:2}"; do
        for height in "${@:2}"; do
            [ $((width * height)) -ge 4 ] || continue
            seed=$((width * 10 + height))
            gst-launch-1.0 -q videotestsrc pattern=black num-buffers=1 ! \
                "video/x-raw,format=GRAY8,width=$((240 / width)),height=$((240 / height))" ! \
                aenoise seed=$seed noise=gaussian:mean=-1..1,sd=0..2 ! \
                aenoise seed=$seed noise=salt-pepper:p=0..0.3 ! \
                videoscale method=nearest-neighbour ! \
                video/x-raw,width=240,height=240 ! pngenc ! \
                filesink location="$1/mosaic-$width-$height.png"
        done
    done
}

# The first FRAMES frames that ELEMENTS send, as raw I420; sets WIDTH and HEIGHT.
#   write_clip FILE ELEMENT...
write_clip() {
    local caps
    caps=$(gst-launch-1.0 -v "${@:2}" ! identity eos-after=$((FRAMES + 1)) ! \
        videoconvert ! video/x-raw,format=I420 ! \
        identity name=end silent=true ! filesink location="$1" |
        sed -n 's/.*end.GstPad:src: caps = //p')
    WIDTH=$(sed -E 's/.*width=\(int\)([0-9]*).*/\1/' <<<"$caps")
    HEIGHT=$(sed -E 's/.*height=\(int\)([0-9]*).*/\1/' <<<"$caps")
}

# The first FRAMES frames of a video file, which xz may have packed.
#   unpack_clip VIDEO FILE
unpack_clip() {
    local video=$1
    "$ROOT/pipelines/setup.sh" gstreamer1.0-libav gstreamer1.0-plugins-bad
    if [[ $video == *.xz ]]; then
        # y4mdec takes no first line of more than 80 characters.
        xz -dc "$video" | LC_ALL=C sed '1s/ X.*//' >"$TEMPORARY/unpacked"
        video=$TEMPORARY/unpacked
    fi
    write_clip "$2" filesrc location="$video" ! decodebin
}

# Trains a model on pictures, again and again, for STEPS; a run that was
# interrupted continues. The log is MODEL.log. Properties are those of aetrain.
#   train_pictures PATTERN MODEL STEPS PROPERTY=VALUE...
train_pictures() {
    read_pictures "$1" loop=true
    launch "$2" step "$3" "$2.log" "${SOURCE[@]}" ! aetrain model-file="$2" \
        max-steps="$3" schedule=cosine batch-size=8 augment=true clip-norm=1 \
        seed=1 threads="${THREADS:-0}" resume=true \
        ${INITIAL:+initial-model="$INITIAL"} "${@:4}"
    echo "model: $2"
}
