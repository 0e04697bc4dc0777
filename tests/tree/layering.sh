#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2046 # lists of files are words
# The layers of docs/developer/architecture.md, checked: arrows point down only.
cd "$(dirname "$0")/../.." || exit 1
failed=0

# forbid WHAT PATTERN FILES...: no line of FILES may match PATTERN.
forbid() {
    what=$1 pattern=$2
    shift 2
    if grep -nE "$pattern" "$@" /dev/null; then
        echo "layering: $what" >&2
        failed=1
    fi
}

code() { find "$@" -name '*.[ch]'; }

forbid "GStreamer in the core" '#include <gst/' $(code core)
forbid "cblas or LAPACK outside core/base/gemm.c" 'cblas|syevd' $(code core plugins | grep -v core/base/gemm)
forbid "intrinsics outside core/kernels" 'immintrin|arm_neon' \
    $(code core plugins | grep -v core/kernels/)
forbid "Cairo outside core/tools" '#include <cairo' \
    $(code core plugins | grep -v core/tools/)
forbid "vector extensions outside core/kernels" 'vector_size' \
    $(code core plugins | grep -v core/kernels/)
# rule FOLDER FOLDERS...: files of core/FOLDER include headers of their own
# folder and of FOLDERS alone, each by its path from core/.
rule() {
    folder=$1
    ruled="$ruled $folder"
    if code "core/$folder" | xargs grep -nE '^ *# *include "' /dev/null |
        grep -vE "include \"($(echo "$folder $*" | tr ' ' '|'))[/\"]|$generated"; then
        echo "layering: core/$folder may include $folder $* alone" >&2
        failed=1
    fi
}

ruled=
generated='"(onnx\.pb-c|ae-models)\.h"'
rule base
rule data base
rule kernels base
rule ops kernels base
rule model ops base
rule plan ops model kernels base
rule networks plan model ops base
rule train video networks plan model kernels data base
rule video plan model base
rule codec video plan model base
rule tools ae.h video networks plan model ops kernels data base
for folder in core/*/; do
    case "$ruled models " in
    *" $(basename "$folder") "*) ;;
    *)
        echo "layering: no rule for $folder" >&2
        failed=1
        ;;
    esac
done
forbid "a plugin that sees more of the core than ae.h" \
    '#include "([^age]|a[^e]|ae[^.]|g[^s]|e[^l])' $(code plugins)

forbid "an element that includes another's header" \
    '#include "gst(ae(denoise|train|noise|compare)|idxsrc)\.h"' $(code plugins)
forbid "instruction set flags outside core/" 'mavx|march=' \
    meson.build plugins/meson.build $(find tests -name meson.build)

allowed='core docs LICENSE meson.build meson_options.txt pipelines plugins README.md tests'
for entry in $(git ls-files 2>/dev/null | cut -d / -f 1 | sort -u); do
    case " $allowed " in
    *" $entry "*) ;;
    *)
        case $entry in .*) ;; *)
            echo "layering: '$entry' at the top level" >&2
            failed=1
            ;;
        esac
        ;;
    esac
done
exit $failed
