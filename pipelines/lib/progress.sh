# SPDX-License-Identifier: LGPL-2.1-or-later
# Progress of long work; source it.

# Copies the lines of a job's report from standard input to standard output. A
# job of more than two seconds also gets progress on standard error, with the
# time left: on a terminal one line that is written over, elsewhere a plain line
# whenever another tenth is done.
#   JOB | progress TITLE PATTERN [TOTAL] >LOG
# PATTERN: a regular expression. In a line that matches it, the first group is
# the amount done; the next one is the total, where TOTAL is not given; one
# more is a text to be shown.
progress() {
    local title=$1 pattern=$2 line amount total text first='' begun=0 tenth=0
    local since=$SECONDS
    while IFS= read -r line || [ -n "$line" ]; do
        printf '%s\n' "$line"
        [[ $line =~ $pattern ]] || continue
        total=${3:-${BASH_REMATCH[2]}}
        text=${BASH_REMATCH[$# > 2 ? 2 : 3]:-}
        amount=$((BASH_REMATCH[1] < total ? BASH_REMATCH[1] : total))
        [ -n "$first" ] || { first=$amount begun=$SECONDS; }
        [ $((SECONDS - since)) -ge 2 ] || continue
        text="$title: $((100 * amount / total)) %$(time_left $((SECONDS - begun)) \
            $((amount - first)) $((total - amount)))$text"
        if [ -t 2 ]; then
            printf '\r%s\e[K' "$text" >&2
        elif [ $((10 * amount / total)) -gt $tenth ]; then
            printf '%s\n' "$text" >&2
        fi
        tenth=$((10 * amount / total))
    done
    [ ! -t 2 ] || printf '\r\e[K' >&2
}

# ", 1:02 left" for a job that did DONE of its work in so many seconds; nothing
# for a job that has not begun: time_left SECONDS DONE LEFT
time_left() {
    local seconds
    [ "$2" -gt 0 ] || return 0
    seconds=$(($1 * $3 / $2))
    printf ', %d:%02d left' $((seconds / 60)) $((seconds % 60))
}
