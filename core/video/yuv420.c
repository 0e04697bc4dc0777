/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/yuv420.h"

void ae_yuv420_pack(const float *planes, int width, int height, float *image)
{
    enum { N = AE_YUV420_CHANNELS };

    for (int y = 0; y < 2 * height; y++)
        for (int x = 0; x < 2 * width; x++)
            image[(y / 2 * width + x / 2) * N + y % 2 * 2 + x % 2] = *planes++;
    for (int c = 4; c < N; c++)
        for (int i = 0; i < width * height; i++)
            image[i * N + c] = *planes++;
}
