/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd's products of matrices with vectors of WIDTH output channels; part
 * of conv-width.h. */

/* m = v * u for @pixels tiles. */
ALWAYS_INLINE void W(product_block)(float *m, int64_t m_step, const float *v,
                                    int ci, const float *u, const int pixels,
                                    const int vectors)
{
    W(Vector) sum[PIXELS][2] = {{{0}}};

    W(accumulate)(sum, v, ci, ci, u, (int64_t)ci * WIDTH, pixels, vectors);
#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 16
        for (int b = 0; b < vectors; b++)
            W(store)(m + p * m_step + b * WIDTH, sum[p][b]);
}

/* m = v * u for all @tiles, in blocks of nearly equal size. */
ALWAYS_INLINE void W(product)(float *m, int64_t m_step, const float *v, int ci,
                              const float *u, int tiles, const int vectors)
{
    const int most = vectors == 2 ? PIXELS_2 : PIXELS;

    for (int blocks = (tiles + most - 1) / most; blocks > 0; blocks--) {
        const int pixels = (tiles + blocks - 1) / blocks;

        switch (pixels) {
#define CASE(p)                                                                \
    case p:                                                                    \
        if (p <= most)                                                         \
            W(product_block)(m, m_step, v, ci, u, p, vectors);                 \
        break;
            CASES_12
#undef CASE
        }
        tiles -= pixels;
        m += pixels * m_step;
        v += (int64_t)pixels * ci;
    }
}

static void W(product1)(float *m, int64_t m_step, const float *v, int ci,
                        const float *u, int tiles)
{
    W(product)(m, m_step, v, ci, u, tiles, 1);
}
