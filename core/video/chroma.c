/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/chroma.h"

void ae_chroma_from_rgb(float *const rows[3], int n, float zero)
{
    for (int x = 0; x < n; x++) {
        float r = rows[0][x], g = rows[1][x], b = rows[2][x];
        float y = 0.299f * r + 0.587f * g + 0.114f * b;

        rows[0][x] = y;
        rows[1][x] = zero + (b - y) / 1.772f;
        rows[2][x] = zero + (r - y) / 1.402f;
    }
}

void ae_chroma_to_rgb(float *const rows[3], int n, float zero)
{
    for (int x = 0; x < n; x++) {
        float y = rows[0][x];
        float b = y + 1.772f * (rows[1][x] - zero);
        float r = y + 1.402f * (rows[2][x] - zero);

        rows[0][x] = r;
        rows[1][x] = (y - 0.299f * r - 0.114f * b) / 0.587f;
        rows[2][x] = b;
    }
}

void ae_chroma_halve(const float *rows, float *half, int n)
{
    const float *below = rows + 2 * n;

    for (int x = 0; x < n; x++)
        half[x] = 0.25f * (rows[2 * x] + rows[2 * x + 1] + below[2 * x] +
                           below[2 * x + 1]);
}

void ae_chroma_add(const float *row, const float *near, const float *far,
                   float *target, int n)
{
    float left = 0.75f * near[0] + 0.25f * far[0], middle = left;

    for (int x = 0; x < n; x++) {
        int next = x < n - 1 ? x + 1 : x;
        float right = 0.75f * near[next] + 0.25f * far[next];

        target[2 * x] = row[2 * x] + 0.25f * left + 0.75f * middle;
        target[2 * x + 1] = row[2 * x + 1] + 0.75f * middle + 0.25f * right;
        left = middle;
        middle = right;
    }
}
