# SPDX-License-Identifier: LGPL-2.1-or-later
# Every kernel on the cases of its own test; sourced by run.sh.

bench_kernels() {
    "$BUILD/tests/core/test-kernels" --bench
}
