/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inner loops. Each instruction set has a table of the same functions, and
 * ae_kernels_get() chooses one for the process. The table in plain C, "c", is
 * the definition: tests compare every other one with it.
 *
 * A convolution computes one row of output pixels. Channels of a pixel are
 * neighbours in memory. The caller passes a pointer to each segment that the
 * first output pixel reads: k contiguous floats, which are all taps of a kernel
 * row (k = kernel width * input channels) or, in dilated and grouped
 * convolutions, one tap (k = input channels). The next output pixel reads
 * in_step floats further on. The caller pads the rows, so that kernels need no
 * rules for borders.
 *
 * Letters: x an output pixel of the row, s a segment, i an input of a segment,
 * o an output channel; ci and co count input and output channels. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef enum {
    AE_ACTIVATION_NONE,
    AE_ACTIVATION_RELU,
    AE_ACTIVATION_LEAKY_RELU, /* alpha: slope below 0 */
    AE_ACTIVATION_PRELU,      /* slope below 0, one per channel */
    AE_ACTIVATION_ELU,        /* alpha * (e^x - 1) below 0 */
    AE_ACTIVATION_SIGMOID,
    AE_ACTIVATION_TANH,
    AE_ACTIVATION_SOFTPLUS,
} AeActivation;

/* What follows a convolution's sum of products for output channel o:
 *     activation(bias[o] + residual + sum).
 * The residual lies beside the output in each row's structure. */
typedef struct {
    const float *bias; /* a number per output channel, or NULL: zeros */
    AeActivation activation;
    float alpha;        /* of leaky ReLU and ELU */
    const float *slope; /* a number per output channel with PReLU, else NULL */
} AeEpilogue;

/* out[x][o] = activation(bias[o] + residual[x][o] +
 *             sum over s, i of segment[s][x * in_step + i] * weight[s][i][o])
 * for x < n, o < co.
 *
 * Depthwise (k is not used): out[x][o] = activation(bias[o] + residual[x][o] +
 *             sum over s of segment[s][x * in_step + o] * weight[s][o]). */
typedef struct {
    const float *const *segment;
    int segments, k;
    int64_t in_step;
    const float *weights;  /* from conv_pack; depthwise: segments x co */
    const float *residual; /* or NULL; may be out itself */
    int64_t residual_step;
    float *out;
    int64_t out_step;
    int n, co;
    AeEpilogue epilogue;
} AeConvRow;

/* Gradients of weights, of `rows` output rows at once:
 * weight[o][s][i] += sum over r < rows, x < n of
 *     segment[r][s][x * in_step + i] * gradient[r][x * gradient_step + o].
 *
 * Depthwise (k is not used): weight[o][s] += sum over r < rows, x < n of
 *     segment[r][s][x * in_step + o] * gradient[r][x * gradient_step + o]. */
typedef struct {
    const float *const *segment;  /* rows x segments */
    const float *const *gradient; /* of each output row */
    int rows, segments, k;
    int64_t in_step, gradient_step;
    int n, co;
    float *weight; /* co x segments x k */
} AeConvWeights;

/* Winograd's minimal filtering F(4x4, 3x3): Y = A' ((G g G') . (B' d B)) A.
 * A tile of 4x4 outputs needs 36 products in place of 144 (Lavin and Gray, Fast
 * Algorithms for Convolutional Neural Networks, 2016). The matrices A, B and G
 * are in plain.c. The tiles of a row lie side by side; a position is one of the
 * 36 elements of a transformed tile.
 *
 * Input transform: v[6 * i + j][tile][c] = (B' d B)[i][j], where d[i][j] is the
 * input at row[i] + (4 * tile + j) * step + c. */
typedef struct {
    const float *row[6];
    int64_t step;
    int tiles, c;
    float *v;
} AeWinogradInput;

/* Products: m[position][tile][o] = sum over i of v[position][tile][i] *
 * u[position][i][o]; winograd_pack makes u. */
typedef struct {
    const float *v, *u;
    int tiles, ci, co;
    int width; /* floats of m for a tile: conv_packed(1, 16, co) / 16 */
    float *m;
} AeWinogradProducts;

/* Output transform: of the four rows of the tiles, rows [first, last) of n
 * pixels, as activation(bias + residual + A' m A). */
typedef struct {
    const float *m;
    int tiles, width, c;
    int n, first, last;
    const float *residual[4]; /* all NULL: none */
    float *out[4];
    AeEpilogue epilogue;
} AeWinogradOutput;

typedef struct {
    float learning_rate; /* bias correction included */
    float beta1, beta2, epsilon;
    float scale; /* factor for the gradient: clipping of its global norm */
} AeAdam;

/* A convolution of bytes in whole numbers. Two or four neighbouring channels
 * fill a unit of 32 bits: as signed 16-bit numbers with their zero point
 * subtracted, or as four bytes. Segments, k and in_step count units. Units are
 * declared as floats because their rows lie in scratch memory of floats.
 * Weights are units of signed numbers; conv_pack packs them, for co rounded up
 * to a multiple of AE_INT8_CHANNELS.
 *
 *   sum  = bias[o] + sum of products, exact in 32 bits
 *   y    = min(max(sum * scale[o] + (residual - residual_zero) *
 *          residual_scale, low), high), each operation rounded to float
 *   out  = round(y) + zero, halves to even, or out_float = y
 *
 * All instruction sets give the same bits. */
typedef struct {
    const float *const *segment;
    int segments, k;
    int64_t in_step;
    const float *weights;
    const int32_t *bias;     /* per channel; co rounded up */
    const float *scale;      /* per channel; co rounded up */
    const uint8_t *residual; /* or NULL */
    int64_t residual_step;
    float residual_scale;
    int residual_zero;
    float low, high;
    int zero;
    uint8_t *out; /* or NULL */
    float *out_float;
    int64_t out_step;
    int n, co;
} AeInt8Row;

enum { AE_INT8_CHANNELS = 8 };

typedef struct {
    const char *name; /* as in AeKernels */
    int group;        /* channels of a unit: 2 or 4 */
    /* Units hold bytes with their zero point: the caller pads rows with it and
     * corrects the bias. */
    gboolean biased;
    /* Makes units of @pixels of @c channels; a unit's channels after the last
     * may hold anything, since their weights are 0. */
    void (*load)(float *units, const uint8_t *bytes, int64_t pixels, int c,
                 int zero);
    void (*conv_row)(const AeInt8Row *row);
    /* min(max(round(x / scale) + zero, 0), 255); NaN: 0 */
    void (*quantize)(uint8_t *y, const float *x, int64_t n, float scale,
                     int zero);
    void (*dequantize)(float *y, const uint8_t *x, int64_t n, float scale,
                       int zero); /* (x - zero) * scale */
} AeInt8Kernels;

typedef struct {
    const char *name; /* "c", "sse2", "avx2", "avx512", "avx512vnni" */
    int lanes;        /* floats of a vector */

    /* The floats that packed weights take; and packing them. weight[s][i][o]
     * is weights[s * stride_s + i * stride_i + o * stride_o]. */
    size_t (*conv_packed)(int segments, int k, int co);
    void (*conv_pack)(float *packed, int segments, int k, int co,
                      const float *weights, int64_t stride_s, int64_t stride_i,
                      int64_t stride_o);
    void (*conv_row)(const AeConvRow *row);
    void (*conv_weights)(const AeConvWeights *w);
    void (*depthwise_row)(const AeConvRow *row);
    void (*depthwise_weights)(const AeConvWeights *w);
    /* Transforms weights[tap][i][o] into 36 times conv_packed(1, ci, co)
     * floats, u[position][i][o] = G g G', packed as by conv_pack. co > 4. */
    void (*winograd_pack)(float *packed, const float *weights, int ci, int co);
    void (*winograd_input)(const AeWinogradInput *in);
    void (*winograd_multiply)(const AeWinogradProducts *products);
    void (*winograd_output)(const AeWinogradOutput *out);

    /* Over n floats; y may be an input. Activations other than PRELU. */
    void (*activate)(float *y, const float *x, int64_t n, AeActivation a,
                     float alpha);
    /* dx = dy * a'(x), or dx += with @accumulate, from the activation's output
     * y. dx may be dy. Activations other than PRELU. */
    void (*activate_gradient)(float *dx, const float *y, const float *dy,
                              int64_t n, AeActivation a, float alpha,
                              gboolean accumulate);
    void (*exp)(float *y, const float *x, int64_t n);
    void (*log)(float *y, const float *x, int64_t n);
    void (*add)(float *y, const float *a, const float *b, int64_t n);
    void (*maximum)(float *y, const float *a, const float *b, int64_t n);
    /* Max pooling's gradient for one tap, over n pixels of c channels that lie
     * @step floats apart in dx and x. Where the input x equals the maximum y,
     * dx takes (with @overwrite) or adds rest, which becomes 0. */
    void (*pass_maximum)(float *dx, const float *x, int64_t step,
                         const float *y, float *rest, int64_t n, int64_t c,
                         gboolean overwrite);
    void (*adam)(float *weight, const float *gradient, float *m, float *v,
                 int64_t n, const AeAdam *adam);
    double (*sum_squares)(const float *x, int64_t n);
    /* Measures the peak: runs n rounds of fused multiply-adds on registers and
     * returns the number of floating-point operations. */
    int64_t (*peak)(int64_t n, float *sink);
    const AeInt8Kernels *int8;
} AeKernels;

/* The fastest table that this processor can run, or the one that the
 * environment variable AE_KERNELS names ("c", "sse2", "avx2", "avx512",
 * "avx512vnni"), if this CPU can run it. */
const AeKernels *ae_kernels_get(void);

/* Table @i of those that this processor can run, plain C first; NULL past the
 * end. */
const AeKernels *ae_kernels_nth(int i);

G_END_DECLS
