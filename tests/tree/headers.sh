#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every header compiles alone, but for the templates of core/kernels/tmpl,
# which are included once per vector width.
#
#   tests/tree/headers.sh GENERATED COMPILER...
#
# GENERATED: the folder of the headers that the build makes.
cd "$(dirname "$0")/../.." || exit 1
generated=$1
shift

flags=$(pkg-config --cflags gstreamer-video-1.0 gstreamer-check-1.0 \
    gio-2.0 libprotobuf-c json-glib-1.0 cairo) || exit 1
headers=$(find core plugins tests -name '*.h' ! -path 'core/kernels/tmpl/*')
failed=0
for header in $headers; do
    # shellcheck disable=SC2086
    "$@" -fsyntax-only -std=gnu11 -Wall -Werror -D_GNU_SOURCE -Icore -Iplugins \
        -I"$generated" $flags -include "$header" -x c /dev/null || failed=1
done
exit $failed
