#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Cairo draws the figures of the command `ae`; the plugin does without it.
#
#   links.sh PLUGIN.so
if ldd "$1" | grep -i cairo; then
    echo "links: $1 needs Cairo" >&2
    exit 1
fi
