/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions of bytes in whole numbers. plan/quantize.c makes them of Conv
 * and ConvTranspose between DequantizeLinear and QuantizeLinear. The geometry
 * is that of pass.h with units of channels (AeInt8Row) as source channels; rows
 * of bytes become units when they are copied (rows.h). */
#include "ops/conv/int8.h"

#include <math.h>
#include <string.h>

#include "ops/conv/pack.h"
#include "ops/conv/read.h"
#include "ops/conv/rows.h"

/* conv_pack moves a unit as if it were a float. */
G_STATIC_ASSERT(sizeof(float) == 4);

typedef struct {
    AeConv c;                   /* first: for rows() of the float operator */
    AeConvInt8 q;               /* from the plan */
    int64_t source_c, target_c; /* channels */
    int64_t padded_c; /* target channels, rounded up for the kernels */
    int64_t multiply_adds;
    int64_t phases;
    float *weights; /* the step's table: units as [small c][taps][large c] */
} Int8;

/* The weight of tap @tap between source channel @i and target channel @o; 0 for
 * channels past the last. */
static int weight_at(const Int8 *p, gboolean up, int64_t tap, int64_t i,
                     int64_t o)
{
    const int64_t small = up ? i : o, large = up ? o : i;
    const int64_t large_c = up ? p->target_c : p->source_c;

    if (i >= p->source_c || o >= p->target_c)
        return 0;
    return (int)p->q.weights[(small * p->c.taps + tap) * large_c + large];
}

static void make_units(const AeInt8Kernels *kernels, Int8 *p, gboolean up)
{
    const AeConv *c = &p->c;

    for (int64_t s = 0; s < c->small_c; s++)
        for (int64_t tap = 0; tap < c->taps; tap++)
            for (int64_t l = 0; l < c->large_c; l++) {
                const int64_t i = (up ? s : l) * kernels->group;
                float *unit = &p->weights[(s * c->taps + tap) * c->large_c + l];

                for (int j = 0; j < kernels->group; j++) {
                    int16_t wide =
                        (int16_t)weight_at(p, up, tap, i + j, up ? l : s);
                    int8_t narrow = (int8_t)wide;

                    if (kernels->group == 2)
                        memcpy((int16_t *)unit + j, &wide, 2);
                    else
                        memcpy((int8_t *)unit + j, &narrow, 1);
                }
            }
}

/* The biases of each phase, and then the scales, lie behind the packed
 * weights. */
static int32_t *biases(const AeConvPass *pass, float *packed)
{
    return (int32_t *)(packed + pass->packed);
}

static float *scales(const Int8 *p, const AeConvPass *pass, float *packed)
{
    return packed + pass->packed + p->phases * p->padded_c;
}

/* The real value of 1 in sums of output channel @o. */
static float product_scale(const AeConvInt8 *q, int64_t o)
{
    return q->in.scale * q->weight_scales[q->scale_per_channel ? o : 0];
}

/* The sum of all weights of output channel @o in a phase. */
static int weight_sum(const Int8 *p, gboolean up,
                      const AeConvPhase *const axis[3], int64_t o)
{
    int sum = 0;

    for (int64_t h = 0; h < axis[1]->taps; h++)
        for (int64_t w = 0; w < axis[2]->taps; w++) {
            const int64_t tap = ae_conv_kernel_tap(&p->c, axis, 0, h, w);

            for (int64_t i = 0; i < p->source_c; i++)
                sum += weight_at(p, up, tap, i, o);
        }
    return sum;
}

static void set_biases(const AeInt8Kernels *kernels, const Int8 *p,
                       const AeConvPass *pass, int32_t *bias)
{
    const AeConvPhase *axis[3] = {&pass->first[0]};
    AeConvPhase room[2];

    for (int64_t h = 0; h < pass->phases[1]; h++)
        for (int64_t w = 0; w < pass->phases[2]; w++, bias += p->padded_c) {
            axis[1] = ae_conv_phase(&p->c, pass, 1, h, &room[0]);
            axis[2] = ae_conv_phase(&p->c, pass, 2, w, &room[1]);
            for (int64_t o = 0; o < p->target_c; o++) {
                if (p->q.bias != NULL)
                    bias[o] =
                        (int32_t)rintf(p->q.bias[o] / product_scale(&p->q, o));
                if (kernels->biased)
                    bias[o] -= p->q.in.zero * weight_sum(p, pass->up, axis, o);
            }
        }
}

static void int8_prepare(AeStep *step, float *scratch)
{
    const Int8 *p = step->params;
    const AeConvPass *pass = ae_conv_forward(&p->c);
    int32_t *bias = biases(pass, step->packed);
    float *scale = scales(p, pass, step->packed);

    ae_conv_pack(step->kernels, &p->c, pass, p->weights, step->packed, scratch);
    memset(bias, 0, (size_t)(p->phases * p->padded_c) * sizeof *bias);
    set_biases(step->kernels->int8, p, pass, bias);
    for (int64_t o = 0; o < p->padded_c; o++)
        scale[o] = o < p->target_c ? product_scale(&p->q, o) : 0;
    for (int64_t o = 0; step->out[0]->bytes && o < p->target_c; o++)
        scale[o] /= p->q.out.scale;
}

/* The part of AeInt8Row that is the same for all rows. */
static AeInt8Row common_row(const AeStep *step, const Int8 *p)
{
    const gboolean relu = step->activation == AE_ACTIVATION_RELU;
    const AeConvQuantum *out = &p->q.out;
    AeInt8Row row = {
        .low = relu ? 0 : -INFINITY,
        .high = INFINITY,
        .residual_scale = p->q.residual.scale,
        .residual_zero = p->q.residual.zero,
        .co = (int)p->target_c,
    };

    if (step->out[0]->bytes) {
        row.low = relu ? 0 : (float)-out->zero;
        row.high = (float)(255 - out->zero);
        row.zero = out->zero;
        row.residual_scale /= out->scale;
    }
    return row;
}

static void point_row(const AeStep *step, AeInt8Row *row, int64_t unit,
                      int64_t pixel)
{
    const AeOperand *out = step->out[0], *residual = step->residual;
    float *start = out->data + unit * ae_operand_row(out);
    const int64_t at = pixel * row->co;

    if (out->bytes)
        row->out = (uint8_t *)start + at;
    else
        row->out_float = start + at;
    if (residual != NULL)
        row->residual = (const uint8_t *)(residual->data +
                                          unit * ae_operand_row(residual)) +
                        at;
}

static void int8_forward(const AeStep *step, int64_t begin, int64_t end,
                         float *scratch)
{
    const Int8 *p = step->params;
    const AeConv *c = &p->c;
    const AeConvPass *pass = ae_conv_forward(&p->c);
    const AeInt8Kernels *kernels = step->kernels->int8;
    const AeConvBytes bytes = {kernels, ae_operand_row(step->in[0]),
                               (int)p->source_c, p->q.in.zero};
    AeConvRows rows = ae_conv_rows_new(c, pass, step->in[0]->data, scratch);
    AeInt8Row row = common_row(step, p);
    AeConvTarget t;

    rows.bytes = &bytes;
    rows.layout.row = bytes.row;
    ae_conv_target_first(c, pass, begin, &t);
    for (int64_t unit = begin; unit < end;
         unit++, ae_conv_target_next(c, pass, &t))
        for (int64_t w = 0; w < pass->phases[2]; w++) {
            const int64_t phase = t.phase[1] * pass->phases[2] + w;
            AeConvPhase room;
            const AeConvPhase *x = ae_conv_phase(c, pass, 2, w, &room);

            row.segments = ae_conv_find_segments(&rows, &t, x);
            row.segment = rows.segment;
            row.k = (int)ae_conv_segment_length(pass, x);
            row.in_step = pass->step[2] * rows.channels;
            row.weights = step->packed + phase * pass->phase_packed;
            row.bias = biases(pass, step->packed) + phase * p->padded_c;
            row.scale = scales(p, pass, step->packed);
            row.out_step = row.residual_step = pass->phases[2] * p->target_c;
            row.n = (int)x->count;
            point_row(step, &row, unit, w);
            kernels->conv_row(&row);
        }
}

static void int8_rows(const AeStep *step, int64_t *begin, int64_t *end)
{
    step->node->op->rows(step, begin, end);
}

static int64_t int8_multiply_adds(const AeStep *step)
{
    return ((const Int8 *)step->params)->multiply_adds;
}

static const AeOperator operators[] = {
    {.name = "Conv-int8",
     .prepare = int8_prepare,
     .forward = int8_forward,
     .rows = int8_rows,
     .multiply_adds = int8_multiply_adds},
    {.name = "ConvTranspose-int8",
     .prepare = int8_prepare,
     .forward = int8_forward,
     .rows = int8_rows,
     .multiply_adds = int8_multiply_adds},
};

/* TRUE if sums of all products and the bias fit 32 bits. */
static gboolean sums_fit(const AeConv *c, const AeConvInt8 *q, int64_t co)
{
    const int64_t products = c->taps * MAX(c->large_c, c->small_c);

    for (int64_t o = 0; q->bias != NULL && o < co; o++)
        if (!(fabsf(q->bias[o] / product_scale(q, o)) < 0x1p30f))
            return FALSE;
    return products < (1 << 30) / (255 * 128);
}

gboolean ae_conv_to_int8(AeStep *step, const AeConvInt8 *q, GError **error)
{
    const int group = step->kernels->int8->group;
    AeConvPass *pass;
    AeConv c = {.units = TRUE};
    int64_t *source, *target;
    float *weights;
    gboolean up;
    Int8 *p;

    if (!ae_conv_read(step, &c, NULL))
        return FALSE;
    up = c.transposed;
    if (c.groups != 1 || !sums_fit(&c, q, up ? c.large_c : c.small_c))
        return FALSE;
    weights = ae_alloc((size_t)(c.taps * (c.small_c + AE_INT8_CHANNELS) *
                                (c.large_c + AE_INT8_CHANNELS)),
                       sizeof *weights, error);
    if (weights == NULL)
        return FALSE;
    p = g_new0(Int8, 1);
    p->weights = weights;
    p->c = c;
    p->q = *q;
    p->multiply_adds = step->op->multiply_adds(step);
    source = up ? &p->c.small_c : &p->c.large_c;
    target = up ? &p->c.large_c : &p->c.small_c;
    p->source_c = *source;
    p->target_c = *target;
    *source = (*source + group - 1) / group;
    p->padded_c = *target =
        (*target + AE_INT8_CHANNELS - 1) / AE_INT8_CHANNELS * AE_INT8_CHANNELS;
    pass = up ? &p->c.up : &p->c.down;
    if (!ae_conv_pass_init(step->kernels, &p->c, pass, up)) {
        ae_free(weights);
        g_free(p);
        return FALSE;
    }
    p->phases = pass->phases[1] * pass->phases[2];
    make_units(step->kernels->int8, p, up);
    g_free(step->params);
    step->params = p;
    step->table = weights;
    step->op = &operators[up];
    step->packed_size = (size_t)(pass->packed + (p->phases + 1) * p->padded_c);
    step->scratch = (size_t)MAX(ae_conv_rows_scratch(pass),
                                ae_conv_pack_scratch(&p->c, pass));
    return TRUE;
}
