/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/still.h"

#include <math.h>

enum { SIDE = 4 }; /* of a block */

typedef struct {
    double sum, energy;
} Difference;

/* @y - @x over @n rows of @width samples. */
static Difference difference(const uint16_t *x, const uint16_t *y, int stride,
                             int width, int n)
{
    int sum = 0;
    int64_t energy = 0;

    for (int row = 0; row < n; row++)
        for (int i = 0; i < width; i++) {
            int d = y[row * stride + i] - x[row * stride + i];

            sum += d;
            energy += (int64_t)d * d;
        }
    return (Difference){sum, (double)energy};
}

AeStill ae_still_measure(const uint16_t *a, const uint16_t *b,
                         const uint16_t *c, int width, int height, int channels)
{
    int stride = width * channels;
    double first = 0, second = 0, both = 0, energy = 0, coarse = 0;

    for (int y = 0; y < height; y += SIDE)
        for (int x = 0; x < stride; x += SIDE * channels) {
            int at = y * stride + x;
            int w =
                (stride - x < SIDE * channels) ? stride - x : SIDE * channels;
            int h = height - y < SIDE ? height - y : SIDE;
            Difference d1 = difference(a + at, b + at, stride, w, h);
            Difference d2 = difference(b + at, c + at, stride, w, h);

            first += d1.sum * d1.sum;
            second += d2.sum * d2.sum;
            both += d1.sum * d2.sum;
            energy += d1.energy + d2.energy;
            coarse += (d1.sum * d1.sum + d2.sum * d2.sum) / (w * h);
        }
    if (first == 0 || second == 0)
        return (AeStill){1, 1};
    return (AeStill){both / sqrt(first * second), coarse / energy};
}
