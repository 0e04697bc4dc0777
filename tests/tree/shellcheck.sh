#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# No shell script gets a warning of the linter. Exits with 77, skipped, where
# it is not installed.
cd "$(dirname "$0")/../.." || exit 1
command -v shellcheck >/dev/null || {
    echo "skipped: shellcheck is not installed"
    exit 77
}
find pipelines tests -name '*.sh' -exec shellcheck -S warning {} +
