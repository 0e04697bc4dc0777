/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libFuzzer (or replay.c) calls. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
