# SPDX-License-Identifier: LGPL-2.1-or-later
# Progress of long work; source it.

# Copies the lines of a job's report from standard input to standard output,
# and shows on standard error how much of the job is done and the time left:
# on a terminal in one line that is written over, elsewhere in a plain line
# whenever another tenth is done.
#   JOB | progress TITLE PATTERN [TOTAL] >LOG
# PATTERN: a regular expression; a line that matches it holds the amount done
# as its first group, and the total as its second one where TOTAL is not given.
progress() {
    local title=$1 pattern=$2 total=${3:-} line amount first= begun left tenth=0
    while IFS= read -r line || [ -n "$line" ]; do
        printf '%s\n' "$line"
        [[ $line =~ $pattern ]] || continue
        total=${3:-${BASH_REMATCH[2]:-}}
        amount=$((BASH_REMATCH[1] < total ? BASH_REMATCH[1] : total))
        [ -n "$first" ] || { first=$amount begun=$SECONDS; }
        left=
        [ "$amount" -le "$first" ] || left=$(clock_time $((
            (SECONDS - begun) * (total - amount) / (amount - first))))
        if [ -t 2 ]; then
            printf '\r%s: %d %%%s\e[K' "$title" $((100 * amount / total)) \
                "${left:+, $left left}" >&2
        elif [ $((10 * amount / total)) -gt $tenth ]; then
            tenth=$((10 * amount / total))
            printf '%s: %d %%%s\n' "$title" $((100 * amount / total)) \
                "${left:+, $left left}" >&2
        fi
    done
    [ ! -t 2 ] || printf '\r\e[K' >&2
}

# Seconds as minutes and seconds: clock_time SECONDS
clock_time() {
    printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}
