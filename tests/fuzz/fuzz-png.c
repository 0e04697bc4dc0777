/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a PNG file, and its last byte. */
#include "fuzz.h"

#include "ae.h"
#include "data/png.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(AeImage) image = ae_image_parse_png(data, size, "fuzz", NULL);
    volatile uint8_t byte;

    if (image == NULL)
        return 0;
    byte = image->pixels[(size_t)image->width * (size_t)image->height *
                             (size_t)image->channels -
                         1];
    (void)byte;
    return 0;
}
