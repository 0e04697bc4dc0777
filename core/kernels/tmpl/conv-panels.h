/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All output channels of a row, as panels of the widths that conv-panel.h has
 * been included for: those of widths[], the widest last. */

static const Width *width_of(int width)
{
    const Width *w = widths;

    while (w->width < width)
        w++;
    return w;
}

/* Lanes of the next panel when @left output channels are left. */
static int panel_width(int left)
{
    int width = 4;

    while (width < AE_LANES && width < left)
        width *= 2;
    return width;
}

/* Of all panels. */
static int panels_width(int co)
{
    int width = 0;

    for (int o = 0; o < co; o += panel_width(co - o))
        width += panel_width(co - o);
    return width;
}

/* Rounded up so that each of several packed blocks starts aligned. */
static size_t packed_floats(int segments, int k, int width)
{
    return ((size_t)segments * k * width + 15) / 16 * 16;
}

static void conv_panel2(const AeConvRow *row, const float *weights, int o,
                        int valid)
{
    W(conv_panel)(row, weights, o, valid, 2);
}

/* Two full-width panels at once as long as there are. */
static void conv_panels(const AeConvRow *row)
{
    const float *weights = row->weights;

    for (int o = 0, width; o < row->co; o += width) {
        const int left = row->co - o;

        width = panel_width(left);
        if (panel_width(left - width) == AE_LANES && left > width) {
            conv_panel2(row, weights, o, left);
            width *= 2;
        } else {
            width_of(width)->panel(row, weights, o, left);
        }
        weights += (size_t)row->segments * row->k * width;
    }
}
