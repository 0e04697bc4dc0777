/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the text of a noise model, and adds it to a small image. */
#include "fuzz.h"

#include "ae.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(AeNoise) noise = ae_noise_parse(text, NULL);
    const AeNoisePlane planes[] = {{12, 9, 1}, {5, 4, 3}};
    float samples[12 * 9 + 5 * 4 * 3] = {0, 0.5f, 1};

    if (noise != NULL)
        ae_noise_apply(noise, samples, samples, planes, 2, 1, size, NULL);
    return 0;
}
