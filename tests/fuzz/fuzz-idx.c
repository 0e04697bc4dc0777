/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads an idx file and the first and last byte that it brings. */
#include "fuzz.h"

#include "ae.h"
#include "data/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(AeIdx) idx = ae_idx_parse(data, size, "fuzz", NULL);
    volatile uint8_t byte;
    size_t total;

    if (idx == NULL)
        return 0;
    total = ae_idx_item_size(idx) * (size_t)idx->dim[0];
    if (total > 0) {
        byte = idx->data[0];
        byte = idx->data[total - 1];
        (void)byte;
    }
    return 0;
}
