#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints the manual page ae(1): its commands are those that `ae --help` lists.
#
#   core/tools/man.sh AE VERSION
LC_ALL=C
export LC_ALL
help=$("$1" --help) || exit 1

cat <<END
.TH AE 1 "" "gst-autoencoder $2" "User Commands"
.SH NAME
ae \- train, run, measure and draw autoencoders from the command line
.SH SYNOPSIS
.B ae
.I COMMAND
[\fIARGUMENT\fR...]
.SH DESCRIPTION
.B ae
works on model files, codes and pictures without GStreamer.
It exits with 0 if all went well, with 2 after wrong arguments, and otherwise
with 1; a sentence on standard error says what is wrong.
.B ae COMMAND \-\-help
lists the options of a command.
.SH COMMANDS
END
# A command and what it does stand two blanks or more apart, or after the name
# of the file that it writes.
printf '%s\n' "$help" | sed -n 's/^  \(ae .*\)/\1/p' |
    sed -E 's/  +/\n/; t; s/( -o [^ ]+) /\1\n/' |
    sed -e 's/-/\\-/g' -e 's/^ae /.TP\n.B &/'
printf '%s\n' "$help" | sed -n '/^[A-Z]* is /{s/-/\\-/g;s/^/.PP\n/;p;}'
cat <<'END'
.SH ENVIRONMENT
.TP
.B AE_KERNELS
The instruction set of the inner loops: c, sse2, avx2, avx512 or avx512vnni.
Without it ae takes the best set that the processor has.
.SH SEE ALSO
.BR gst\-inspect\-1.0 (1),
.BR gst\-launch\-1.0 (1)
END
