/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows the sums of a convolution, and how many of them there are at
 * once. */

/* Pixels of a block with one and with two vectors of channels: what 16
 * registers hold, or 32. */
#define PIXELS 12
#define PIXELS_2 (AE_LANES >= 16 ? 12 : 6)

/* Activations that are part of storing; those that need exp run over the row
 * afterwards. */
typedef enum { FINISH_NONE, FINISH_RELU, FINISH_SLOPE } Finish;

static Finish finish_of(const AeEpilogue *e)
{
    switch (e->activation) {
    case AE_ACTIVATION_RELU:
        return FINISH_RELU;
    case AE_ACTIVATION_LEAKY_RELU:
    case AE_ACTIVATION_PRELU:
        return FINISH_SLOPE;
    default:
        return FINISH_NONE;
    }
}

/* The whole epilogue of @valid channels from @o of one pixel: fewer than fill
 * the vectors. */
static void store_pixel(const AeConvRow *row, const float *sum, int64_t x,
                        int o, int valid)
{
    const AeEpilogue *e = &row->epilogue;
    const Finish finish = finish_of(e);
    float *out = row->out + x * row->out_step + o;

    for (int i = 0; i < valid; i++) {
        float y = sum[i], below = 0;

        if (row->residual)
            y += row->residual[x * row->residual_step + o + i];
        if (finish == FINISH_NONE)
            below = y;
        else if (finish == FINISH_SLOPE)
            below = y * (e->slope ? e->slope[o + i] : e->alpha);
        out[i] = y < 0 ? below : y;
    }
}

/* The activations that need exp, over what has been stored; the others are
 * part of the epilogue. */
static void activate_row(const AeEpilogue *e, float *out, int64_t step, int n,
                         int64_t channels)
{
    if (e->activation <= AE_ACTIVATION_PRELU)
        return;
    if (step == channels) {
        step = channels *= n;
        n = 1;
    }
    for (int64_t x = 0; x < n; x++)
        NAME(activate)
    (out + x * step, out + x * step, channels, e->activation, e->alpha);
}
