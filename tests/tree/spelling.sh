#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The spelling of pages, comments and scripts, as .codespellrc sets it up.
# Skipped, with 77, where there is no codespell.
cd "$(dirname "$0")/../.." || exit 1

if ! codespell --version >/dev/null 2>&1; then
    echo "skipped: there is no codespell"
    exit 77
fi
exec codespell README.md core docs pipelines plugins tests
