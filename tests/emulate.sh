#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs tests on emulated processors: with instruction sets that this machine
# lacks, and without those that it has. An instruction that the emulated
# processor does not know ends its test.
#
#   tests/emulate.sh [TEST...]
#
# TEST: programs of tests/core to run beside test-kernels (default:
# test-conv and test-int8).
# Boots Debian's kernel in Debian's Bochs, a processor at a time, for some
# minutes each. PROCESSORS lists others of `bochs --help cpu`, each with the best
# set of kernels that it must find: "corei7_skylake_x=avx512". The build must not
# be one with sanitizers.
set -euo pipefail
. "$(dirname "$0")/../pipelines/lib/common.sh"

PROCESSORS=${PROCESSORS:-core2_penryn_t9600=sse2 corei7_haswell_4770=avx2
    corei7_icelake_u=avx512vnni}
LIMIT=${LIMIT:-3600} # seconds a processor
[ $# -gt 0 ] || set -- test-conv test-int8
set -- test-kernels "$@"
# What stops Linux in Bochs 2.7, which gets some of it wrong: SMAP, compressed
# XSAVE, UMIP, protection keys, RDPID, FSRM.
HIDDEN=308,321,323,514,515,516,534,580
SYSLINUX=/usr/lib/syslinux/modules/bios/ldlinux.c32

# The newest kernel for virtual machines, which needs no modules here.
fetch_kernel() {
    local package
    package=$(apt-cache depends linux-image-cloud-amd64 |
        sed -n 's/.*Depends: //p' | head -n 1)
    (cd "$TEMPORARY" && apt-get download -q "$package" >&2)
    dpkg-deb -x "$TEMPORARY/$package"_*.deb "$TEMPORARY/kernel"
    cp "$TEMPORARY"/kernel/boot/vmlinuz-* "$TEMPORARY/disc/vmlinuz"
}

# PROGRAM and the shared libraries that it needs, where it looks for them.
install_program() {
    local library
    cp "$1" "$TEMPORARY/root/tests/"
    ldd "$1" | grep -o '/[^ ]*' | while read -r library; do
        install -D "$library" "$TEMPORARY/root$library"
    done
}

make_init() {
    cat >"$TEMPORARY/root/init" <<EOF
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
cd /tests
for test in $*; do
    ./\$test
    echo "\$test: exit status \$?"
done
/bin/busybox sleep 1 # the serial line is slow
/bin/busybox poweroff -f
EOF
    chmod +x "$TEMPORARY/root/init"
}

# A disc that boots into the tests.
make_disc() {
    local test
    mkdir -p "$TEMPORARY/root"/{bin,dev,proc,tests} "$TEMPORARY/disc"
    cp /bin/busybox "$TEMPORARY/root/bin/"
    for test in "$@"; do
        install_program "$BUILD/tests/core/$test"
    done
    make_init "$@"
    (cd "$TEMPORARY/root" && find . | cpio -o -H newc --quiet | gzip -1) \
        >"$TEMPORARY/disc/initrd"
    fetch_kernel
    cp /usr/lib/ISOLINUX/isolinux.bin "$SYSLINUX" "$TEMPORARY/disc/"
    cat >"$TEMPORARY/disc/isolinux.cfg" <<EOF
default tests
label tests
kernel vmlinuz
append initrd=initrd console=ttyS0,115200 quiet mitigations=off panic=-1 clearcpuid=$HIDDEN
EOF
    xorriso -as mkisofs -quiet -o "$TEMPORARY/disc.iso" -b isolinux.bin \
        -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table \
        "$TEMPORARY/disc"
}

# Boots the disc on PROCESSOR; what it prints comes out.
boot() {
    local folder=$TEMPORARY/$1
    mkdir "$folder"
    cat >"$folder/bochsrc" <<EOF
cpu: model=$1, count=1, ips=100000000, reset_on_triple_fault=0
megs: 1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios-stdvga.bin
ata0-master: type=cdrom, path=$TEMPORARY/disc.iso, status=inserted
boot: cdrom
display_library: term
com1: enabled=1, mode=file, dev=$folder/serial
clock: sync=none
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
speaker: enabled=0
log: $folder/log
panic: action=fatal
EOF
    echo continue >"$folder/commands"
    TERM=xterm timeout "$LIMIT" nice -n 19 script -qec \
        "bochs-bin -q -f $folder/bochsrc -rc $folder/commands" \
        "$folder/screen" >/dev/null </dev/null || true
    tr -d '\r' <"$folder/serial"
}

# check PROCESSOR SET TEST...: all passed, and SET was the best that could run.
check() {
    local processor=$1 set=$2 out=$TEMPORARY/$1.out sets
    shift 2
    boot "$processor" >"$out"
    sets=$(sed -n 's,.*ok [0-9]* /kernels/\([a-z0-9]*\)/.*,\1,p' "$out" | uniq)
    echo "$processor: kernels" $sets
    for test in "$@"; do
        grep "^$test: exit status 0\$" "$out" || {
            cat "$out"
            die "$processor: $test failed."
        }
    done
    [ "$(tail -n 1 <<<"$sets")" = "$set" ] ||
        die "$processor: $set was expected to be the best."
}

"$ROOT/pipelines/setup.sh" bochs bochs-term bochsbios vgabios busybox-static cpio \
    isolinux syslinux-common xorriso
build
make_temporary
make_disc "$@"
for processor in $PROCESSORS; do
    check "${processor%=*}" "${processor#*=}" "$@"
done
