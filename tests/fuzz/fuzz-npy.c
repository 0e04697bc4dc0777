/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads an npy file and the first and last number that it brings. */
#include "fuzz.h"

#include "ae.h"
#include "data/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(AeTensor) tensor = ae_npy_parse(data, size, "fuzz", NULL);
    volatile float number;
    int64_t total;

    if (tensor == NULL)
        return 0;
    total = ae_shape_elements(&tensor->shape);
    if (total > 0) {
        number = tensor->data[0];
        number = tensor->data[total - 1];
        (void)number;
    }
    return 0;
}
