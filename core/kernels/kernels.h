/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inner loops, behind one table: plain C first, and the same sources
 * compiled for each instruction set; ae_kernels_get() chooses once by CPU.
 * The C twin ("c") is the definition that every other is compared with.
 *
 * Convolution works on rows of channels-last pixels. For one output row the
 * caller passes pointers to the inputs of its first pixel: `segments` of `k`
 * contiguous floats each, one segment a kernel row (k = kw * ci: neighbouring
 * taps are contiguous), or one a tap (k = ci) for dilated and grouped
 * convolutions. The next pixel's inputs lie `in_step` floats further. Rows are
 * padded by the caller, so no kernel knows of borders. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef enum {
    AE_ACTIVATION_NONE,
    AE_ACTIVATION_RELU,
    AE_ACTIVATION_LEAKY_RELU, /* alpha: slope below 0 */
    AE_ACTIVATION_PRELU,      /* slope per channel */
    AE_ACTIVATION_ELU,        /* alpha */
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

/* weight[o][s][i] += sum over r < rows, x < n of
 *     segment[r][s][x * in_step + i] * gradient[r][x * gradient_step + o].
 *
 * Depthwise (k is not used): weight[o][s] += sum over r < rows, x < n of
 *     segment[r][s][x * in_step + o] * gradient[r][x * gradient_step + o]. */
typedef struct {
    const float *const *segment; /* rows x segments */
    const float *const *gradient;
    int rows, segments, k;
    int64_t in_step, gradient_step;
    int n, co;
    float *weight; /* co x segments x k */
} AeConvWeights;

/* Winograd's minimal filtering F(4x4, 3x3), Y = A' ((G g G') . (B' d B)) A:
 * 36 products make the 16 outputs of a tile that take 144 otherwise (Lavin and
 * Gray, Fast Algorithms for Convolutional Neural Networks, 2016; the matrices
 * stand in plain.c). Tiles lie side by side.
 *
 * v[6 * i + j][tile][c] = (B' d B)[i][j], d[i][j] being the inputs at
 * row[i] + (4 * tile + j) * step. */
typedef struct {
    const float *row[6];
    int64_t step;
    int tiles, c;
    float *v;
} AeWinogradInput;

/* m[position][tile][o] = sum over i of v[position][tile][i] *
 * u[position][i][o], u from winograd_pack. */
typedef struct {
    const float *v, *u;
    int tiles, ci, co;
    int width; /* floats of m for a tile: conv_packed(1, 16, co) / 16 */
    float *m;
} AeWinogradProducts;

/* From m, which lies as v does: rows [first, last) of the four, of n pixels, as
 * activation(bias + residual + A' m A). */
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
    float scale; /* of the gradient: global-norm clipping */
} AeAdam;

/* A row of bytes, convolved in whole numbers. Channels are taken by groups of
 * two or four, which fill a unit of 32 bits: signed 16-bit numbers less their
 * zero point, or bytes as they are. Segments, k and in_step count units and,
 * since rows of units lie in scratch, are declared as floats; weights are units
 * of signed numbers, packed by conv_pack for co rounded up to AE_INT8_CHANNELS.
 *
 *   sum  = bias[o] + sum of products, exact in 32 bits
 *   y    = min(max(sum * scale[o] + (residual - residual_zero) *
 *          residual_scale, low), high), each operation rounded to float
 *   out  = round(y) + zero, halves to even, or out_float = y
 *
 * so that all sets give the same bits. */
typedef struct {
    const float *const *segment;
    int segments, k;
    int64_t in_step;
    const float *weights;
    const int32_t *bias;     /* co, rounded up */
    const float *scale;      /* co, rounded up */
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
    const char *name; /* as AeKernels, and "avx512vnni" */
    int group;        /* channels of a unit: 2 or 4 */
    /* Bytes are not moved by their zero point: rows are padded with it, and
     * the bias makes up for it. */
    gboolean biased;
    /* @pixels of @c bytes into units; channels past the last are any. */
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
    int lanes;        /* floats a vector */

    /* Floats that packed weights need, and packing: weight[s][i][o] is found
     * at weights[s * stride_s + i * stride_i + o * stride_o]. */
    size_t (*conv_packed)(int segments, int k, int co);
    void (*conv_pack)(float *packed, int segments, int k, int co,
                      const float *weights, int64_t stride_s, int64_t stride_i,
                      int64_t stride_o);
    void (*conv_row)(const AeConvRow *row);
    void (*conv_weights)(const AeConvWeights *w);
    void (*depthwise_row)(const AeConvRow *row);
    void (*depthwise_weights)(const AeConvWeights *w);
    /* weights[tap][i][o] into 36 times conv_packed(1, ci, co) floats:
     * u[position][i][o] = G g G', as conv_pack would pack it. co > 4. */
    void (*winograd_pack)(float *packed, const float *weights, int ci, int co);
    void (*winograd_input)(const AeWinogradInput *in);
    void (*winograd_multiply)(const AeWinogradProducts *products);
    void (*winograd_output)(const AeWinogradOutput *out);

    /* Over n floats; target may be source. */
    void (*activate)(float *y, const float *x, int64_t n, AeActivation a,
                     float alpha); /* not PRELU */
    /* dx (+)= dy * a'(y) from the activation's output y; target may be dy. Not
     * PRELU. */
    void (*activate_gradient)(float *dx, const float *y, const float *dy,
                              int64_t n, AeActivation a, float alpha,
                              gboolean accumulate);
    void (*exp)(float *y, const float *x, int64_t n);
    void (*log)(float *y, const float *x, int64_t n);
    void (*add)(float *y, const float *a, const float *b, int64_t n);
    void (*maximum)(float *y, const float *a, const float *b, int64_t n);
    /* One tap of max pooling, back: over n pixels of c channels, @step floats
     * apart in dx and x, where x = y: dx (+)= rest, and the rest is gone. */
    void (*pass_maximum)(float *dx, const float *x, int64_t step,
                         const float *y, float *rest, int64_t n, int64_t c,
                         gboolean overwrite);
    void (*adam)(float *weight, const float *gradient, float *m, float *v,
                 int64_t n, const AeAdam *adam);
    double (*sum_squares)(const float *x, int64_t n);
    /* Repeated fused multiply-adds on registers, for the measured peak: runs
     * n rounds and returns the number of floating-point operations. */
    int64_t (*peak)(int64_t n, float *sink);
    const AeInt8Kernels *int8;
} AeKernels;

/* The best table for this CPU, or the one that the environment variable
 * AE_KERNELS names ("c", "sse2", "avx2", "avx512", "avx512vnni"), if
 * this CPU can run it. */
const AeKernels *ae_kernels_get(void);

/* The i-th table that this CPU can run, plain C first; NULL past the end. */
const AeKernels *ae_kernels_nth(int i);

G_END_DECLS
