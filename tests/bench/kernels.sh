# SPDX-License-Identifier: LGPL-2.1-or-later
# Every kernel of the set in use on the cases of its own test; sourced by
# run.sh.

bench_kernels() {
    local test=$BUILD/tests/core/test-kernels set
    set=${AE_KERNELS:-$("$test" -l | grep ^/ | tail -n 1 | cut -d / -f 3)}
    echo "kernels on one core; of the peak of fused multiply-adds"
    "$test" -m perf -p "/kernels/$set" |
        sed -n 's,^# \(.* G\(FLOP\|B\)/s\),  \1,p'
}
