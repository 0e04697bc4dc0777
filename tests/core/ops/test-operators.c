/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every operator and shape, as a model of one node:
 *
 *   gradients  against central differences of the loss sum(r * y), r random,
 *              summed in double: at most 1e-3 of the largest gradient apart
 *   contract   gradients that add to what is there and gradients that
 *              overwrite it, with rubbish underneath
 *   threads    the same bits for one thread and three
 *   values     what ONNX's own cases leave out, against numbers
 *   any        any number of inputs, some left out: planned or refused
 *
 * `--bench` prints the times of forward and backward. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/ops.h"
#include "plan/plan.h"
#include "base/random.h"
#include "plan/training.h"
#include "model/build.h"

#define STEP 1e-2f /* of the differences */
#define MAX_ERROR 1e-3
#define MAX_INPUTS 8
#define MAX_OUTPUTS 3

typedef enum {
    ANY,      /* -1 .. 1, no closer to a multiple of 0.1 than two steps */
    POSITIVE, /* 0.5 .. 1.5 */
    SPACED,   /* no two closer than four steps */
} Range;

/* Inputs are separated by spaces:
 *
 *   2x3x5x7  fed         w2x3  weights     c2x3  constant floats
 *   i1,-2    whole numbers (a list)        f0.5  floats (a list)
 *   s2       a whole number (scalar)       -     left out
 *   u7,255   bytes (a list)                b-7   signed bytes (a list)
 *
 * Attributes are name=value: whole numbers with commas, a float (with a
 * point), a word, or words with commas. @fused names an activation that
 * follows. */
typedef struct {
    const char *op, *inputs, *attributes;
    int opset;
    Range range;
    const char *fused;
} Case;

static const Case cases[] = {
    /* Activations. */
    {"Relu", "2x3x5x7", "", 17, ANY, NULL},
    {"LeakyRelu", "2x3x5x7", "alpha=0.2", 17, ANY, NULL},
    {"Elu", "2x3x5x7", "alpha=0.7", 17, ANY, NULL},
    {"Sigmoid", "2x3x5x7", "", 17, ANY, NULL},
    {"Tanh", "2x19", "", 17, ANY, NULL},
    {"Softplus", "2x3x5", "", 17, ANY, NULL},
    {"PRelu", "2x3x5x7 w3x1x1", "", 17, ANY, NULL},
    {"PRelu", "2x3x5x7 w1", "", 17, ANY, NULL},
    {"PRelu", "2x3x5x7 w3x5x7", "", 17, ANY, NULL},
    {"PRelu", "2x19 w19", "", 17, ANY, NULL},
    {"PRelu", "2x3x5x7 w3", "", 6, ANY, NULL},
    {"HardSigmoid", "2x3x5x7", "alpha=0.625", 17, ANY, NULL},
    {"HardSwish", "2x3x5x7", "", 17, ANY, NULL},
    {"Swish", "2x3x5x7", "alpha=1.5", 24, ANY, NULL},
    {"Gelu", "2x3x5x7", "", 20, ANY, NULL},
    {"Gelu", "2x3x5x7", "approximate=tanh", 20, ANY, NULL},
    {"Erf", "2x3x5x7", "", 17, ANY, NULL},
    {"Mish", "2x3x5x7", "", 18, ANY, NULL},
    {"Selu", "2x3x5x7", "", 17, ANY, NULL},
    {"Celu", "2x3x5x7", "alpha=0.6", 17, ANY, NULL},
    {"Softsign", "2x3x5x7", "", 17, ANY, NULL},
    {"ThresholdedRelu", "2x3x5x7", "alpha=0.3", 17, ANY, NULL},
    {"LogSoftmax", "2x5x3x4", "axis=1", 17, ANY, NULL},
    {"LogSoftmax", "2x5x3", "", 11, ANY, NULL},
    {"Clip", "2x3x5x7", "min=-0.5 max=0.4", 7, ANY, NULL},
    {"Clip", "2x3x5x7 f-0.5 f0.4", "", 17, ANY, NULL},
    {"Clip", "2x3x5x7 - f0.4", "", 17, ANY, NULL},
    {"Softmax", "2x5x3", "", 17, ANY, NULL},
    {"Softmax", "2x5x3x4", "axis=1", 17, ANY, NULL},
    {"Softmax", "2x5x3x4", "axis=2", 13, ANY, NULL},
    {"Softmax", "2x5x3", "", 11, ANY, NULL},
    {"Softmax", "2x5x3x4", "axis=2", 7, ANY, NULL},
    {"Softmax", "3x19", "axis=-1", 11, ANY, NULL},
    /* Element by element. */
    {"Add", "2x3x5x7 2x3x5x7", "", 17, ANY, NULL},
    {"Add", "2x3x5x7 w3x1x1", "", 17, ANY, NULL},
    {"Add", "w3x5x7 2x3x5x7", "", 17, ANY, NULL},
    {"Add", "2x3x1x7 2x1x5x1", "", 17, ANY, NULL},
    {"Add", "3x1 w1x19", "", 17, ANY, NULL},
    {"Add", "2x3x19x10 2x3x19x10", "", 17, ANY, NULL},
    {"Sub", "2x3x5x7 w1x3x1x1", "", 17, ANY, NULL},
    {"Sub", "w5x1 2x3x5x7", "", 17, ANY, NULL},
    {"Mul", "2x3x5x7 2x3x5x7", "", 17, ANY, NULL},
    {"Mul", "2x3x5x7 w1", "", 17, ANY, NULL},
    {"Mul", "2x3x5x7 2x3x1x1", "", 17, ANY, NULL},
    {"Mul", "2x3x5x7 2x1x5x7", "", 17, ANY, NULL},
    {"Div", "2x3x5x7 w3x1x1", "", 17, POSITIVE, NULL},
    {"Div", "7 2x3x5x7", "", 17, POSITIVE, NULL},
    {"Pow", "2x3x5x7 f2.0", "", 17, POSITIVE, NULL},
    {"Pow", "2x3x5x7 f2.5", "", 17, POSITIVE, NULL},
    {"Pow", "2x3x5x7 w3x1x1", "", 17, POSITIVE, NULL},
    {"Neg", "2x3x5x7", "", 17, ANY, NULL},
    {"Abs", "2x3x5x7", "", 17, ANY, NULL},
    {"Exp", "2x3x5x7", "", 17, ANY, NULL},
    {"Log", "2x3x5x7", "", 17, POSITIVE, NULL},
    {"Sqrt", "2x3x5x7", "", 17, POSITIVE, NULL},
    {"Min", "2x3x5x7 w3x1x1", "", 17, ANY, NULL},
    {"Max", "2x3x5x7 2x3x5x7", "", 17, ANY, NULL},
    {"Max", "2x3x5 w5 2x1x1", "", 17, ANY, NULL},
    {"Min", "2x3x5", "", 17, ANY, NULL},
    /* Other places. */
    {"Concat", "2x3x5x7 2x4x5x7", "axis=1", 17, ANY, NULL},
    {"Concat", "2x3x5x7 2x3x2x7 w2x3x1x7", "axis=2", 17, ANY, NULL},
    {"Concat", "2x3 2x19", "axis=-1", 17, ANY, NULL},
    {"Split", "2x6x5x3", "axis=1", 11, ANY, NULL},
    {"Split", "2x6x5 i2,4", "axis=1", 13, ANY, NULL},
    {"Split", "2x7", "axis=1 num_outputs=2", 18, ANY, NULL},
    {"Slice", "2x3x5x7", "starts=1,-5 ends=3,99 axes=1,3", 9, ANY, NULL},
    {"Slice", "2x3x5x7 i4,6 i-99,0 i2,3 i-2,-1", "", 17, ANY, NULL},
    {"Slice", "2x3x5x7 i1,0 i9,2", "", 17, ANY, NULL},
    {"Transpose", "2x3x5x7", "", 17, ANY, NULL},
    {"Transpose", "2x3x5x7", "perm=0,2,3,1", 17, ANY, NULL},
    {"Transpose", "2x3x5", "perm=0,2,1", 17, ANY, NULL},
    {"Transpose", "2x19", "", 17, ANY, NULL},
    {"Expand", "3x1x5 i2,1,4,1", "", 17, ANY, NULL},
    {"Expand", "2x3x1x5 i4,1", "", 17, ANY, NULL},
    {"Gather", "2x3x5x7 i1,-1,1", "axis=1", 17, ANY, NULL},
    {"Gather", "5x4 s-2", "", 17, ANY, NULL},
    {"DepthToSpace", "2x12x5x3", "blocksize=2", 17, ANY, NULL},
    {"DepthToSpace", "2x18x2x3", "blocksize=3 mode=CRD", 17, ANY, NULL},
    {"SpaceToDepth", "2x3x4x6", "blocksize=2", 17, ANY, NULL},
    {"Pad", "2x3x4x5", "pads=0,1,2,0,0,0,1,3", 10, ANY, NULL},
    {"Pad", "2x3x4x5 i0,0,2,-1,0,0,1,2 f0.5", "", 17, ANY, NULL},
    {"Pad", "2x3x4x5 i0,0,2,1,0,0,3,4", "mode=reflect", 17, ANY, NULL},
    {"Pad", "2x3x4x5 i1,0,2,1,0,2,3,4", "mode=edge", 17, ANY, NULL},
    {"Pad", "2x3x4x5 i2,1,0,3 - i2,-1", "mode=edge", 18, ANY, NULL},
    /* Other shapes. */
    {"Reshape", "2x3x5x7 i0,-1", "", 17, ANY, NULL},
    {"Reshape", "2x105 i2,3,5,7", "", 17, ANY, NULL},
    {"Reshape", "2x3x4x5 i2,12,5", "", 17, ANY, NULL},
    {"Reshape", "2x3x4x5 i2,4,3,5", "", 17, ANY, NULL},
    {"Reshape", "2x3x4x5 i5,4,6", "", 17, ANY, NULL},
    {"Reshape", "2x12x5 i2,3,4,5,1", "", 17, ANY, NULL},
    {"Reshape", "6x4 i3,8", "", 17, ANY, NULL},
    {"Flatten", "2x3x5x7", "", 17, ANY, NULL},
    {"Flatten", "2x3x1x1", "", 17, ANY, NULL},
    {"Flatten", "2x3x5x7", "axis=2", 17, ANY, NULL},
    {"Squeeze", "2x3x1x7", "axes=2", 11, ANY, NULL},
    {"Squeeze", "2x1x5x7 i1", "", 17, ANY, NULL},
    {"Squeeze", "2x1x5x1", "", 17, ANY, NULL},
    {"Unsqueeze", "2x3x7", "axes=0,-2", 11, ANY, NULL},
    {"Unsqueeze", "2x19 i2,3", "", 17, ANY, NULL},
    {"Identity", "2x3x5x7", "", 17, ANY, NULL},
    {"Dropout", "2x3x5x7", "ratio=0.3", 10, ANY, NULL},
    {"Dropout", "2x3x5x7 f0.3", "", 17, ANY, NULL},
    {"Cast", "2x3x5x7", "to=1", 17, ANY, NULL},
    /* Pooling. */
    {"MaxPool", "2x3x4x6", "kernel_shape=2,2 strides=2,2", 17, SPACED, NULL},
    {"MaxPool", "2x19x5x7", "kernel_shape=2,2 strides=2,2", 17, SPACED, NULL},
    {"MaxPool", "2x3x7x8", "kernel_shape=3,2 strides=1,2 pads=1,0,2,1", 17,
     SPACED, NULL},
    {"MaxPool", "2x3x9x8", "kernel_shape=3,3 dilations=2,1", 17, SPACED, NULL},
    {"MaxPool", "2x3x6x5", "kernel_shape=3,3 strides=2,2 ceil_mode=1", 17,
     SPACED, NULL},
    {"MaxPool", "2x3x6x5", "kernel_shape=3,3 auto_pad=SAME_LOWER", 17, SPACED,
     NULL},
    {"MaxPool", "2x3x17", "kernel_shape=3 strides=2", 17, SPACED, NULL},
    {"MaxPool", "2x3x4x4x5", "kernel_shape=2,2,2 strides=2,1,2", 17, SPACED,
     NULL},
    {"AveragePool", "2x3x4x6", "kernel_shape=2,2 strides=2,2", 17, ANY, NULL},
    {"AveragePool", "2x3x7x8", "kernel_shape=3,2 strides=1,2 pads=1,0,2,1", 17,
     ANY, NULL},
    {"AveragePool", "2x3x7x8",
     "kernel_shape=3,3 strides=2,2 pads=1,1,1,1 count_include_pad=1", 17, ANY,
     NULL},
    {"AveragePool", "2x3x8x8",
     "kernel_shape=3,3 strides=2,2 count_include_pad=1 ceil_mode=1", 17, ANY,
     NULL},
    {"AveragePool", "2x3x6x5", "kernel_shape=4,3 auto_pad=SAME_UPPER", 17, ANY,
     NULL},
    {"AveragePool", "2x3x17", "kernel_shape=3 strides=2", 17, ANY, NULL},
    {"AveragePool", "2x3x4x4x5", "kernel_shape=2,2,2", 17, ANY, NULL},
    {"GlobalAveragePool", "2x19x5x7", "", 17, ANY, NULL},
    {"GlobalAveragePool", "2x3x5", "", 17, ANY, NULL},
    /* Resizing. */
    {"Upsample", "2x3x4x5", "scales=1.0,1.0,2.0,2.0", 7, ANY, NULL},
    {"Upsample", "2x3x4x5 f1.0,1.0,3.0,2.0", "", 9, ANY, NULL},
    {"Upsample", "2x3x4x5 f1.0,1.0,2.0,2.0", "mode=linear", 9, ANY, NULL},
    {"Resize", "2x3x4x5 f1.0,1.0,2.0,2.0", "", 10, ANY, NULL},
    {"Resize", "2x3x4x5 - f1.0,1.0,2.0,2.0", "", 17, ANY, NULL},
    {"Resize", "2x3x4x5 - - i2,3,7,4", "nearest_mode=ceil", 17, ANY, NULL},
    {"Resize", "2x3x4x5 - f1.0,1.0,2.0,2.0", "mode=linear", 17, ANY, NULL},
    {"Resize", "2x3x4x5 - - i2,3,7,3",
     "mode=linear coordinate_transformation_mode=align_corners", 17, ANY, NULL},
    {"Resize", "2x3x4x5 - - i2,3,7,1",
     "mode=linear coordinate_transformation_mode=pytorch_half_pixel", 17, ANY,
     NULL},
    {"Resize", "2x3x4x5 - - i2,5,7,4", "mode=linear", 17, ANY, NULL},
    {"Resize", "2x3x4x5 - - i7,4", "mode=cubic axes=2,3", 18, ANY, NULL},
    {"Resize", "2x3x5 - f1.0,1.0,1.5", "mode=linear", 17, ANY, NULL},
    {"Resize", "4x5 - - i7,3", "mode=linear", 17, ANY, NULL},
    {"Resize", "2x3x2x4x5 - f1.0,1.0,2.0,1.5,0.6", "mode=linear", 17, ANY,
     NULL},
    {"Resize", "2x3x9x7 - f0.3,0.6", "mode=cubic antialias=1 axes=2,3", 18, ANY,
     NULL},
    /* Matrices. */
    {"Gemm", "3x19 w19x5 w5", "", 17, ANY, NULL},
    {"Gemm", "3x19 w5x19 w5", "transB=1", 17, ANY, NULL},
    {"Gemm", "3x4 w3x5 w1", "transA=1 alpha=0.5 beta=2.0", 17, ANY, NULL},
    {"Gemm", "4x3 w5x4 w3x1", "transA=1 transB=1 beta=0.3", 17, ANY, NULL},
    {"Gemm", "3x4 4x5 3x5", "", 17, ANY, NULL},
    {"Gemm", "3x4 w4x5", "", 17, ANY, NULL},
    {"Gemm", "70x2 w2x260 w260", "", 17, ANY, NULL},
    {"Gemm", "3x19 w5x19 w5", "transB=1", 17, ANY, "Relu"},
    {"Gemm", "3x19 w5x19 w5", "transB=1", 17, ANY, "LeakyRelu"},
    {"Gemm", "3x19 w5x19 w5", "transB=1", 17, ANY, "Elu"},
    {"Gemm", "3x19 w5x19 w5", "transB=1", 17, ANY, "Sigmoid"},
    {"Gemm", "3x19 w5x19 w5", "transB=1", 17, ANY, "Tanh"},
    {"Gemm", "3x19 w5x19 w5", "transB=1", 17, ANY, "Softplus"},
    {"MatMul", "3x4 w4x5", "", 17, ANY, NULL},
    {"MatMul", "2x3x4 w4x5", "", 17, ANY, NULL},
    {"MatMul", "2x3x4 2x4x5", "", 17, ANY, NULL},
    {"MatMul", "2x3x4x5 2x3x5x2", "", 17, ANY, NULL},
    {"MatMul", "3x4x5 2x1x5x2", "", 17, ANY, NULL},
    {"MatMul", "4 2x3x4x5", "", 17, ANY, NULL},
    {"MatMul", "2x3x4x5 w5", "", 17, ANY, NULL},
    {"MatMul", "4 4", "", 17, ANY, NULL},
    {"MatMul", "1x70x3 3x2", "", 17, ANY, NULL},
    /* Recurrent. */
    {"LSTM", "5x2x3 w1x16x3 w1x16x4 w1x32", "hidden_size=4", 17, ANY, NULL},
    {"LSTM", "3x1x2 w1x20x2 w1x20x5", "", 7, ANY, NULL},
    {"LSTM", "4x3x2 w1x12x2 w1x12x3 w1x24 - 1x3x3 1x3x3", "direction=reverse",
     17, ANY, NULL},
    {"LSTM", "4x2x3 w2x16x3 w2x16x4 w2x32 - 2x2x4 2x2x4",
     "direction=bidirectional", 17, ANY, NULL},
    {"LSTM", "2x4x3 w2x16x3 w2x16x4 w2x32 - 2x2x4 2x2x4",
     "direction=bidirectional layout=1", 17, ANY, NULL},
    {"LSTM", "3x4x2 1x12x2 1x12x3 1x24 - - 3x1x3", "layout=1", 17, ANY, NULL},
    {"LSTM", "18x67x1 w2x8x1 w2x8x2 w2x16 - w2x67x2",
     "direction=bidirectional activations=sigmoid,Tanh,Tanh,Sigmoid,Tanh,Tanh",
     17, ANY, NULL},
    {"LSTM", "3x2x4 w1x12x4 w1x12x3 w1x24 i3,3", "", 17, ANY, NULL},
    /* Normalisation. */
    {"BatchNormalization", "2x3x5x7 w3 w3 w3 c3", "", 17, POSITIVE, NULL},
    {"BatchNormalization", "2x3 w3 w3 c3 w3", "epsilon=0.1", 9, POSITIVE, NULL},
    {"BatchNormalization", "2x19x5 w19 w19 c19 c19", "", 17, POSITIVE, NULL},
    {"InstanceNormalization", "2x3x5x7 w3 w3", "", 17, ANY, NULL},
    {"InstanceNormalization", "2x19x5 w19 w19", "epsilon=0.01", 17, ANY, NULL},
    /* Reductions. */
    {"ReduceProd", "2x3x5", "axes=1", 17, POSITIVE, NULL},
    {"ReduceMax", "2x3x5x2", "axes=1,3 keepdims=0", 17, SPACED, NULL},
    {"ReduceMin", "2x3x5x2 i2", "", 18, SPACED, NULL},
    {"ReduceL1", "2x3x5x7", "", 17, ANY, NULL},
    {"ReduceL2", "2x3x5x7", "axes=1", 17, POSITIVE, NULL},
    {"ReduceSumSquare", "2x3x5x7", "axes=2", 17, ANY, NULL},
    {"ReduceMean", "2x3x5x7", "axes=2,3", 17, ANY, NULL},
    {"ReduceMean", "2x3x5x7 i1", "keepdims=0", 18, ANY, NULL},
    {"ReduceMean", "2x3x5x7", "keepdims=0", 17, ANY, NULL},
    {"ReduceSum", "2x3x5x7 i-1,1", "keepdims=0", 17, ANY, NULL},
    {"ReduceSum", "2x3x5x7", "axes=0", 11, ANY, NULL},
    {"ReduceSum", "2x3x5x7", "noop_with_empty_axes=1", 17, ANY, NULL},
    {"ReduceSum", "3x19 i0", "", 17, ANY, NULL},
    /* Convolution. */
    {"Conv", "2x3x7x5 w19x3x3x3 w19", "strides=2,2 pads=1,1,1,1", 17, ANY,
     NULL},
    {"Conv", "2x3x6x9 w5x3x3x3 w5", "pads=1,1,1,1", 17, ANY, NULL},
    {"Conv", "2x3x6x9 w5x3x3x3", "pads=0,2,1,1", 17, ANY, NULL},
    {"Conv", "2x16x5x6 w1x16x3x3 w1", "pads=1,1,1,1", 17, ANY, NULL},
    {"Conv", "2x1x5x6 w16x1x3x3 w16", "pads=1,1,1,1", 17, ANY, NULL},
    {"Conv", "2x4x5x6 w3x4x1x1 w3", "", 17, ANY, NULL},
    {"Conv", "2x4x7x9 w3x4x5x3 w3", "strides=1,2 pads=2,0,2,3", 17, ANY, NULL},
    {"Conv", "2x3x9x11 w4x3x3x2 w4", "dilations=2,3 pads=2,1,1,2", 17, ANY,
     NULL},
    {"Conv", "2x6x5x7 w4x3x3x3 w4", "group=2 pads=1,1,1,1", 17, ANY, NULL},
    {"Conv", "2x6x5x7 w6x1x3x3 w6", "group=6 pads=1,1,1,1", 17, ANY, NULL},
    {"Conv", "2x6x5x7 w6x1x3x3 w6", "group=6 strides=2,2 dilations=1,2", 17,
     ANY, NULL},
    {"Conv", "2x3x5x7 w6x1x3x3 w6", "group=3 strides=1,2 pads=1,0,1,1", 17, ANY,
     NULL},
    {"Conv", "2x3x17 w5x3x4 w5", "strides=3 pads=2,1", 17, ANY, NULL},
    {"Conv", "2x3x5x4x6 w4x3x3x2x3 w4", "strides=2,1,1 pads=1,1,0,1,1,2", 17,
     ANY, NULL},
    {"Conv", "2x3x6x7 w5x3x3x3 w5", "auto_pad=SAME_UPPER strides=2,2", 17, ANY,
     NULL},
    {"Conv", "2x3x6x9 w5x3x3x3 w5", "pads=1,1,1,1", 17, ANY, "Relu"},
    {"Conv", "2x3x6x9 w5x3x3x3 w5", "pads=1,1,1,1", 17, ANY, "LeakyRelu"},
    {"Conv", "2x3x6x9 w5x3x3x3 w5", "pads=1,1,1,1", 17, ANY, "Elu"},
    {"Conv", "2x3x6x9 w5x3x3x3 w5", "pads=1,1,1,1", 17, ANY, "Sigmoid"},
    {"Conv", "2x3x6x9 w5x3x3x3 w5", "pads=1,1,1,1", 17, ANY, "Tanh"},
    {"Conv", "2x3x6x9 w5x3x3x3 w5", "pads=1,1,1,1", 17, ANY, "Softplus"},
    {"Conv", "2x6x5x7 w6x1x3x3 w6", "group=6 pads=1,1,1,1", 17, ANY, "Tanh"},
    {"ConvTranspose", "2x3x4x5 w3x19x3x3 w19",
     "strides=2,2 pads=1,1,1,1 output_padding=1,1", 17, ANY, NULL},
    {"ConvTranspose", "2x8x4x5 w8x3x4x4 w3", "strides=2,2 pads=1,1,1,1", 17,
     ANY, NULL},
    {"ConvTranspose", "2x4x3x4 w4x5x2x2", "strides=3,3 output_padding=2,1", 17,
     ANY, NULL},
    {"ConvTranspose", "2x4x5x4 w4x5x3x3 w5",
     "strides=2,3 dilations=2,2 pads=1,2,0,1", 17, ANY, NULL},
    {"ConvTranspose", "2x4x5x4 w4x3x3x3 w6", "group=2 strides=2,1", 17, ANY,
     NULL},
    {"ConvTranspose", "2x4x5x4 w4x1x3x3 w4", "group=4 strides=2,2", 17, ANY,
     NULL},
    {"ConvTranspose", "2x3x9 w3x5x4 w5", "strides=2 pads=1,1", 17, ANY, NULL},
    {"ConvTranspose", "2x3x4x5 w3x5x3x3 w5", "strides=2,2 pads=1,1,1,1", 17,
     ANY, "Relu"},
    {"ConvTranspose", "2x3x4x5 w3x5x3x3 w5", "strides=2,2 pads=1,1,1,1", 17,
     ANY, "Sigmoid"},
};

/* What a case is checked on. */
typedef struct {
    AeModel *model;
    AePlan *plan;
    AeShape shapes[MAX_INPUTS]; /* of the fed inputs */
    int input[MAX_INPUTS];      /* and which of the node's they are */
    int n_fed;
    int n_outputs;
    GPtrArray *weights; /* of AeTensor, borrowed, as gradients lie */
    int64_t n_weights;  /* floats */
} Fixture;

static AeShape parse_shape(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "x", -1);
    AeShape shape = {.rank = (int)g_strv_length(parts)};

    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = g_ascii_strtoll(parts[i], NULL, 10);
    return shape;
}

/* Numbers with commas, as a list or as a scalar. */
static AeTensor *parse_list(const char *text, gboolean integer, gboolean scalar)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    AeShape shape = {.rank = 1, .dim = {g_strv_length(parts)}};
    AeTensor *tensor;

    if (scalar || (!integer && shape.dim[0] == 1))
        shape.rank = 0;
    tensor = ae_tensor_new(&shape, NULL);
    tensor->integer = integer;
    for (int i = 0; parts[i]; i++)
        tensor->data[i] = (float)g_ascii_strtod(parts[i], NULL);
    return tensor;
}

/* @input moves the numbers of operands apart, so that none are equal. */
static void fill(float *data, int64_t n, Range range, int input)
{
    AeRandom random = ae_random(7, (uint64_t)input);
    g_autofree uint32_t *order = g_new(uint32_t, n + 1);

    ae_random_permutation(&random, order, (uint32_t)n);
    for (int64_t i = 0; i < n; i++) {
        float u = ae_random_uniform(&random);

        if (range == SPACED)
            data[i] = ((float)order[i] - (float)n / 2 + 0.5f) * 4 * STEP;
        else if (range == POSITIVE)
            data[i] = 0.5f + u;
        else
            data[i] =
                floorf(u * 20 - 10) / 10 + 0.03f + 0.03f * (float)(input % 3);
    }
}

static void set_strings(AeNode *node, const char *name, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    ae_node_set_strings(node, name, (const char *const *)parts);
}

static void set_attributes(AeNode *node, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, " ", -1);

    for (int i = 0; parts[i] && *parts[i]; i++) {
        g_auto(GStrv) pair = g_strsplit(parts[i], "=", 2);
        const char *value = pair[1];
        g_autoptr(AeTensor) list = parse_list(value, TRUE, FALSE);
        int n = (int)list->shape.dim[0];
        g_autofree int64_t *ints = g_new(int64_t, n);

        for (int k = 0; k < n; k++)
            ints[k] = (int64_t)list->data[k];
        if (g_ascii_isalpha(*value) && strchr(value, ','))
            set_strings(node, pair[0], value);
        else if (g_ascii_isalpha(*value))
            ae_node_set_string(node, pair[0], value);
        else if (strchr(value, '.') && n == 1)
            ae_node_set_float(node, pair[0], list->data[0]);
        else if (strchr(value, '.'))
            ae_node_set_floats(node, pair[0], list->data, n);
        else if (n > 1 || strchr(pair[0], 's'))
            ae_node_set_ints(node, pair[0], ints, n);
        else
            ae_node_set_int(node, pair[0], ints[0]);
    }
}

/* Adds the input that @text describes and returns its value. */
static int add_input(Fixture *fixture, const Case *test, const char *text,
                     int i)
{
    g_autofree char *name = g_strdup_printf("in%d", i);
    AeModel *model = fixture->model;
    AeTensor *tensor;
    AeShape shape;
    int value;

    if (g_str_equal(text, "-"))
        return -1;
    if (strchr("ifsub", *text)) {
        tensor = parse_list(text + 1, *text != 'f', *text == 's');
        tensor->element = *text == 'u'   ? AE_ELEMENT_UINT8
                          : *text == 'b' ? AE_ELEMENT_INT8
                                         : AE_ELEMENT_DEFAULT;
        return ae_model_add_constant(model, name, tensor, FALSE, NULL);
    }
    if (g_ascii_isdigit(*text)) {
        shape = parse_shape(text);
        fixture->input[fixture->n_fed] = i;
        fixture->shapes[fixture->n_fed++] = shape;
        return ae_model_add_input(model, name, &shape, NULL);
    }
    shape = parse_shape(text + 1);
    tensor = ae_tensor_new(&shape, NULL);
    fill(tensor->data, ae_shape_elements(&shape), test->range, i);
    value = ae_model_add_constant(model, name, tensor, *text == 'w', NULL);
    if (*text == 'w') {
        g_ptr_array_add(fixture->weights, tensor);
        fixture->n_weights += ae_shape_elements(&shape);
    }
    return value;
}

/* Adds a node @op that makes @n new outputs, of which @last is the last. */
static AeNode *add_node(AeModel *model, const char *op, const int *inputs,
                        int n_inputs, int n, gboolean deliver, int *last)
{
    int outputs[MAX_OUTPUTS];
    AeNode *node;
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < n; i++) {
        g_autofree char *name =
            g_strdup_printf("out%d-%u", i, model->values->len);

        outputs[i] = ae_model_add_value(model, name, NULL, NULL);
        if (deliver)
            ae_model_add_output(model, outputs[i]);
    }
    node =
        ae_model_add_node(model, op, op, inputs, n_inputs, outputs, n, &error);
    g_assert_no_error(error);
    *last = outputs[n - 1];
    return node;
}

static int count_outputs(const char *op)
{
    return g_str_equal(op, "LSTM") ? 3 : g_str_equal(op, "Split") ? 2 : 1;
}

/* @shared: another reader of the first input stands behind the node, so that
 * its gradient comes first. */
static AeModel *make_model(Fixture *fixture, const Case *test, gboolean shared)
{
    g_auto(GStrv) inputs = g_strsplit(test->inputs, " ", -1);
    int n = (int)g_strv_length(inputs), values[MAX_INPUTS], last;
    AeNode *node;

    fixture->model = ae_model_new(test->opset);
    for (int i = 0; i < n; i++)
        values[i] = add_input(fixture, test, inputs[i], i);
    node = add_node(fixture->model, test->op, values, n,
                    count_outputs(test->op), !test->fused, &last);
    set_attributes(node, test->attributes);
    if (test->fused)
        add_node(fixture->model, test->fused, &last, 1, 1, TRUE, &last);
    if (shared)
        add_node(fixture->model, "Neg", values, 1, 1, TRUE, &last);
    return fixture->model;
}

static void fixture_init(Fixture *fixture, const Case *test, gboolean shared,
                         AePool *pool)
{
    /* Also what is too small for a second thread. */
    AePlanOptions options = {.pool = pool, .band_rows = -1};
    g_autoptr(GError) error = NULL;

    memset(fixture, 0, sizeof *fixture);
    fixture->weights = g_ptr_array_new();
    make_model(fixture, test, shared);
    fixture->n_outputs = (int)fixture->model->outputs->len;
    options.shapes = fixture->shapes;
    options.n_inputs = fixture->n_fed;
    options.gradients = options.input_gradients = TRUE;
    fixture->plan = ae_plan_new(fixture->model, &options, &error);
    g_assert_no_error(error);
    for (int i = 0; i < fixture->n_fed; i++)
        fill(ae_plan_input(fixture->plan, i),
             ae_shape_elements(&fixture->shapes[i]), test->range,
             fixture->input[i]);
}

static void fixture_clear(Fixture *fixture)
{
    ae_plan_free(fixture->plan);
    ae_model_unref(fixture->model);
    g_ptr_array_unref(fixture->weights);
}

static int64_t output_size(const Fixture *fixture, int i)
{
    return ae_shape_elements(ae_plan_output_shape(fixture->plan, i));
}

/* The loss is the sum of the outputs, weighted with what it returns. */
static float *loss_weights(const Fixture *fixture, int output)
{
    int64_t n = output_size(fixture, output);
    float *weights = g_new(float, MAX(n, 1));
    AeRandom random = ae_random(11, (uint64_t)output);

    for (int64_t i = 0; i < n; i++)
        weights[i] = ae_random_uniform(&random) * 2 - 1;
    return weights;
}

/* Also the output's signs (where asked for), whose change tells of a fused
 * activation's kink. */
static double loss(Fixture *fixture, float *const *weights, GString *signs)
{
    double sum = 0;

    ae_plan_weights_changed(fixture->plan);
    ae_plan_run(fixture->plan);
    g_string_truncate(signs, 0);
    for (int i = 0; i < fixture->n_outputs; i++) {
        const float *y = ae_plan_output(fixture->plan, i);

        for (int64_t k = 0; k < output_size(fixture, i); k++) {
            sum += (double)weights[i][k] * y[k];
            g_string_append_c(signs, y[k] > 0 ? '+' : '-');
        }
    }
    return sum;
}

static void run_backward(Fixture *fixture, float *const *weights,
                         float *gradients)
{
    ae_plan_weights_changed(fixture->plan);
    ae_plan_run(fixture->plan);
    for (int i = 0; i < fixture->n_outputs; i++)
        memcpy(ae_plan_output_gradient(fixture->plan, i), weights[i],
               output_size(fixture, i) * sizeof(float));
    ae_plan_backward(fixture->plan, gradients);
}

/* The slope of the loss along *x from steps of @step; FALSE if an output
 * changes its sign in between: a fused activation's kink. */
static gboolean difference(Fixture *fixture, float *const *weights, float *x,
                           float step, double *slope)
{
    g_autoptr(GString) above = g_string_new(NULL);
    g_autoptr(GString) below = g_string_new(NULL);
    float kept = *x, high = kept + step, low = kept - step;

    *x = high;
    *slope = loss(fixture, weights, above);
    *x = low;
    *slope -= loss(fixture, weights, below);
    *slope /= (double)high - low;
    *x = kept;
    return g_string_equal(above, below);
}

/* The error of @analytic for the @n numbers @x, that the plan reads, in parts
 * of the largest gradient. Numbers that lie at a kink are left out, but not
 * too many. */
static double compare(const Case *test, Fixture *fixture, float *const *weights,
                      float *x, const float *analytic, int64_t n)
{
    double worst = 0, largest = 0;
    int64_t left_out = 0;

    for (int64_t i = 0; i < n; i++) {
        double slope;

        if (!difference(fixture, weights, &x[i], STEP, &slope) && test->fused &&
            !difference(fixture, weights, &x[i], STEP / 5, &slope)) {
            left_out++;
            continue;
        }
        worst = MAX(worst, fabs(slope - analytic[i]));
        largest = MAX(largest, fabs(slope));
    }
    g_assert_cmpint(4 * left_out, <=, n);
    return worst / (largest > 0 ? largest : 1);
}

static float *const *all_loss_weights(const Fixture *fixture)
{
    float **weights = g_new0(float *, fixture->n_outputs + 1);

    for (int i = 0; i < fixture->n_outputs; i++)
        weights[i] = loss_weights(fixture, i);
    return weights;
}

static void free_loss_weights(float *const *weights)
{
    for (int i = 0; weights[i]; i++)
        g_free(weights[i]);
    g_free((void *)weights);
}

/* The worst error over all inputs and weights. */
static double check_differences(const Case *test, Fixture *fixture,
                                float *const *weights, const float *gradients)
{
    double worst = 0;

    for (int i = 0; i < fixture->n_fed; i++) {
        int64_t n = ae_shape_elements(&fixture->shapes[i]);

        worst =
            MAX(worst,
                compare(test, fixture, weights, ae_plan_input(fixture->plan, i),
                        ae_plan_input_gradient(fixture->plan, i), n));
    }
    for (guint i = 0; i < fixture->weights->len; i++) {
        AeTensor *tensor = g_ptr_array_index(fixture->weights, i);
        int64_t n = ae_shape_elements(&tensor->shape);

        worst = MAX(
            worst, compare(test, fixture, weights, tensor->data, gradients, n));
        gradients += n;
    }
    return worst;
}

static void test_gradients(const void *data)
{
    const Case *test = data;
    Fixture fixture;
    float *const *weights;
    g_autofree float *gradients = NULL;
    double error;

    fixture_init(&fixture, test, FALSE, NULL);
    weights = all_loss_weights(&fixture);
    gradients = g_new0(float, fixture.n_weights + 1);
    run_backward(&fixture, weights, gradients);
    /* Twice: what the first run left must not matter. */
    memset(gradients, 0, fixture.n_weights * sizeof *gradients);
    run_backward(&fixture, weights, gradients);
    error = check_differences(test, &fixture, weights, gradients);
    g_test_message("worst relative error %.2g", error);
    g_assert_cmpfloat(error, <=, MAX_ERROR);
    free_loss_weights(weights);
    fixture_clear(&fixture);
}

static void assert_close(const float *a, const float *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (isnan(b[i]))
            g_assert_true(isnan(a[i]));
        else
            g_assert_cmpfloat_with_epsilon(a[i], b[i],
                                           2e-5 * (1 + fabsf(b[i])));
}

/* A second reader of the first input takes its weights off the gradient; a
 * second run doubles the gradients of the weights. */
static void test_contract(const void *data)
{
    const Case *test = data;
    Fixture alone, shared;
    float *const *weights, *const *both;
    g_autofree float *once = NULL, *twice = NULL;

    fixture_init(&alone, test, FALSE, NULL);
    fixture_init(&shared, test, TRUE, NULL);
    weights = all_loss_weights(&alone);
    both = all_loss_weights(&shared);
    once = g_new0(float, alone.n_weights + 1);
    twice = g_new0(float, alone.n_weights + 1);
    run_backward(&alone, weights, once);
    run_backward(&shared, both, twice);
    if (alone.n_fed > 0 && g_ascii_isdigit(*test->inputs)) {
        int64_t n = ae_shape_elements(&alone.shapes[0]);
        float *dx = ae_plan_input_gradient(alone.plan, 0);

        for (int64_t i = 0; i < n; i++)
            dx[i] -= both[alone.n_outputs][i];
        assert_close(ae_plan_input_gradient(shared.plan, 0), dx, n);
        run_backward(&shared, both, twice);
        for (int64_t i = 0; i < alone.n_weights; i++)
            once[i] *= 2;
        assert_close(twice, once, alone.n_weights);
    }
    free_loss_weights(weights);
    free_loss_weights(both);
    fixture_clear(&alone);
    fixture_clear(&shared);
}

static void test_threads(const void *data)
{
    const Case *test = data;
    g_autoptr(AePool) pool = ae_pool_new(3);
    Fixture one, three;

    fixture_init(&one, test, FALSE, NULL);
    fixture_init(&three, test, FALSE, pool);
    ae_plan_run(one.plan);
    ae_plan_run(three.plan);
    for (int i = 0; i < one.n_outputs; i++)
        g_assert_cmpmem(ae_plan_output(one.plan, i),
                        output_size(&one, i) * sizeof(float),
                        ae_plan_output(three.plan, i),
                        output_size(&three, i) * sizeof(float));
    fixture_clear(&one);
    fixture_clear(&three);
}

static void print_times(const Case *test)
{
    Fixture fixture;
    float *const *weights;
    g_autofree float *gradients = NULL;
    const int runs = 200;
    gint64 start, forward;

    fixture_init(&fixture, test, FALSE, NULL);
    weights = all_loss_weights(&fixture);
    gradients = g_new0(float, fixture.n_weights + 1);
    start = g_get_monotonic_time();
    for (int i = 0; i < runs; i++)
        ae_plan_run(fixture.plan);
    forward = g_get_monotonic_time() - start;
    start = g_get_monotonic_time();
    for (int i = 0; i < runs; i++)
        run_backward(&fixture, weights, gradients);
    printf("# %-22s %-28s forward %8.2f us, both %8.2f us\n", test->op,
           test->inputs, (double)forward / runs,
           (double)(g_get_monotonic_time() - start) / runs);
    free_loss_weights(weights);
    fixture_clear(&fixture);
}

/* Outputs in row-major order. */
static const struct {
    const char *op, *inputs, *attributes, *shape, *expected;
    int opset;
} values[] = {
    {"Div", "i7,-7,7,-8 i2,2,-2,3", "", "4", "3,-3,-3,-2", 17},
    {"Mul", "i3,-4 i5", "", "2", "15,-20", 17},
    {"Cast", "f1.7,-1.7,0.0", "to=7", "3", "1,-1,0", 17},
    {"Cast", "f1.7,-1.7,0.0", "to=9", "3", "1,1,0", 17},
    {"Cast", "f1.7,-1.7,0.0", "to=16", "3", "1.7,-1.7,0", 17},
    {"Shape", "f1.0,2.0,3.0", "", "1", "3", 17},
    {"Gather", "i5,6,7 i-1,0", "", "2", "7,5", 17},
    {"ConstantOfShape", "i2,3", "", "2x3", "0,0,0,0,0,0", 17},
    {"Constant", "", "value_ints=4,5", "2", "4,5", 17},
    {"Constant", "", "value_floats=4.5,5.0", "2", "4.5,5", 17},
    {"Clip", "f-1.0,0.2,3.0", "min=0.0 max=1.0", "3", "0,0.2,1", 7},
    {"Split", "i1,2,3,4,5", "num_outputs=2", "3", "1,2,3", 18},
    {"Pad", "i1,2,3 i2,1", "mode=reflect", "6", "3,2,1,2,3,2", 17},
    {"Pad", "f1.0,2.0", "pads=1,-1 value=9.0", "2", "9,1", 10},
    {"Resize", "f1.0,2.0 - f1.5", "", "3", "1,1,2", 17},
    {"Resize", "f0.0,1.0,2.0,3.0,4.0 - f0.5",
     "mode=linear coordinate_transformation_mode=align_corners", "2", "0,4",
     17},
    {"Resize", "i0,1,2,3,4,5,6,7,8,9,10 - f1.7",
     "coordinate_transformation_mode=asymmetric nearest_mode=floor", "18",
     "0,0,1,1,2,2,3,4,4,5,5,6,7,7,8,8,9,10", 17},
    {"Resize", "i0,1,2,3,4 - f1.7",
     "coordinate_transformation_mode=half_pixel_symmetric nearest_mode=floor",
     "8", "0,0,1,1,2,2,3,4", 19},
    {"Resize", "i0,1,2,3,4,5,6 - - i4",
     "coordinate_transformation_mode=asymmetric nearest_mode=round_prefer_ceil",
     "4", "0,2,4,5", 19},
    {"Resize", "f8.0,0.0,0.0,4.0,0.0,0.0 - f0.5", "mode=linear antialias=1",
     "3", "4,1.5,0.5", 19},
    {"Resize", "f8.0,0.0,0.0,4.0,0.0,0.0,0.0 - f0.4",
     "mode=linear antialias=1 exclude_outside=1", "2", "2.727273,1.44", 19},
    {"Resize", "f8.0,0.0,0.0,4.0,0.0,0.0 - f0.5", "mode=cubic antialias=1", "3",
     "3.789062,1.195312,0.523438", 19},
    {"Resize", "f8.0,0.0,0.0,4.0 - f1.5", "mode=cubic antialias=1", "6",
     "8.694444,4,-0.763889,-0.486111,2,4.347222", 19},
    {"Pad", "i1,2,3 i4,2", "mode=wrap", "9", "3,1,2,3,1,2,3,1,2", 19},
    {"Mod", "i7,-7,7,-7 i3,3,-3,-3", "", "4", "1,2,-2,-1", 17},
    {"Mod", "f7.5,-7.5 f3.0", "fmod=1", "2", "1.5,-1.5", 17},
    {"Mod", "f7.5,-7.5 f2.0,0.0", "", "2", "1.5,nan", 28},
    {"Equal", "i1,2,3 i2", "", "3", "0,1,0", 17},
    {"LessOrEqual", "f1.0,2.0,3.0 f2.0", "", "3", "1,1,0", 17},
    {"And", "i1,0,1 i1,1,0", "", "3", "1,0,0", 17},
    {"Not", "i1,0", "", "2", "0,1", 17},
    {"Where", "i1,0,1 i5 i7,8,9", "", "3", "5,8,5", 17},
    {"Round", "f0.5,1.5,-2.5,2.6", "", "4", "0,2,-2,3", 17},
    {"Floor", "f-1.5,1.5", "", "2", "-2,1", 17},
    {"Range", "i3 i10 i3", "", "3", "3,6,9", 17},
    {"Tile", "i1,2 i3", "", "6", "1,2,1,2,1,2", 17},
    {"ArgMax", "f1.0,3.0,3.0", "", "1", "1", 17},
    {"ArgMin", "f3.0,1.0,1.0", "select_last_index=1", "1", "2", 17},
    {"ReduceProd", "i2,3,4", "", "1", "24", 17},
    {"Einsum", "f1.0,2.0", "equation=i->", "", "3", 17},
    {"Einsum", "f1.5", "", "", "1.5", 17},
    {"RMSNormalization", "f3.0,4.0 f1.0,2.0", "epsilon=0.0", "2",
     "0.848528,2.262742", 23},
    {"LayerNormalization", "f1.0,3.0 f1.0,2.0 f0.5,0.5", "epsilon=0.0", "2",
     "-0.5,2.5", 17},
    {"Upsample", "f1.0,2.0", "scales=2.0", "4", "1,1,2,2", 7},
    {"ReduceSum", "i1,2,3", "", "1", "6", 17},
    {"ReduceSum", "i1,2,3", "noop_with_empty_axes=1", "3", "1,2,3", 17},
    {"Softmax", "f0.0,0.0,0.0,0.0", "axis=0", "4", "0.25,0.25,0.25,0.25", 11},
    {"Slice", "i1,2,3,4,5 i-1 i-9 i0 i-2", "", "3", "5,3,1", 17},
    {"QuantizeLinear", "f1.0,3.0,5.0,-1.0,-3.0,7.1 f2.0", "", "6",
     "0,2,2,0,0,4", 10},
    {"QuantizeLinear", "f-900.0,-3.0,0.0,1.0,1e9 f2.0 u9", "", "5",
     "0,7,9,9,255", 13},
    {"QuantizeLinear", "f-900.0,-5.0,0.0,7.0,1e9 f2.0 b-9", "", "5",
     "-128,-11,-9,-5,127", 13},
    {"QuantizeLinear", "f-9.0,0.0,1e9 f0.5", "output_dtype=5", "3",
     "-18,0,32767", 21},
    {"QuantizeLinear", "f9.0,9.0,9.0 f1.0,2.0,3.0 u0,1,2", "axis=0", "3",
     "9,5,5", 13},
    {"DequantizeLinear", "u0,9,255 f0.5 u9", "", "3", "-4.5,0,123", 10},
    {"DequantizeLinear", "b-128,9,127 f0.5", "", "3", "-64,4.5,63.5", 13},
    {"DequantizeLinear", "b1,1,1 f1.0,2.0,3.0 b0,1,-1", "axis=-1", "3", "1,0,6",
     13},
    {"DequantizeLinear", "b1,2,3,4,5 f1.0,2.0,3.0 b0,1,-1",
     "axis=0 block_size=2", "5", "1,2,4,6,18", 21},
    {"QuantizeLinear", "f1.0,2.0,3.0,8.0,18.0 f1.0,2.0,3.0 b0,1,-1",
     "axis=0 block_size=2", "5", "1,2,3,5,5", 21},
};

static void test_values(const void *data)
{
    const size_t at = GPOINTER_TO_SIZE(data);
    const Case test = {values[at].op,
                       values[at].inputs,
                       values[at].attributes,
                       values[at].opset,
                       ANY,
                       NULL};
    g_autoptr(AeTensor) expected =
        parse_list(values[at].expected, FALSE, FALSE);
    AeShape shape = parse_shape(values[at].shape);
    g_autofree float *found = NULL;
    AeTensor result = {.shape = shape};
    Fixture fixture;

    fixture_init(&fixture, &test, FALSE, NULL);
    ae_plan_run(fixture.plan);
    g_assert_true(
        ae_shape_equal(ae_plan_output_shape(fixture.plan, 0), &shape));
    found = g_new(float, ae_shape_elements(&shape));
    result.data = (float *)ae_plan_output(fixture.plan, 0);
    ae_tensor_to_row_major(&result, found);
    assert_close(found, expected->data, ae_shape_elements(&shape));
    fixture_clear(&fixture);
}

/* The gradient of a product at a zero is the product of the others. */
static void test_product(void)
{
    static const float x[] = {0, 2, -3, 0, 0, 5}, expected[] = {-6, 0, 0};
    const Case test = {"ReduceProd", "2x3 i1", "", 18, ANY, NULL};
    Fixture fixture;

    fixture_init(&fixture, &test, FALSE, NULL);
    memcpy(ae_plan_input(fixture.plan, 0), x, sizeof x);
    ae_plan_run(fixture.plan);
    ae_plan_output_gradient(fixture.plan, 0)[0] = 1;
    ae_plan_output_gradient(fixture.plan, 0)[1] = 1;
    ae_plan_backward(fixture.plan, NULL);
    assert_close(ae_plan_input_gradient(fixture.plan, 0), expected, 3);
    for (int i = 3; i < 6; i++)
        g_assert_cmpfloat(ae_plan_input_gradient(fixture.plan, 0)[i], ==, 0);
    fixture_clear(&fixture);
}

/* One scale for all axes, by which none gets larger, or smaller, than asked. */
static void test_aspect(void)
{
    static const struct {
        const char *attributes, *shape;
    } cases[] = {
        {"axes=2,3 keep_aspect_ratio_policy=not_larger", "2x3x6x7"},
        {"axes=2,3 keep_aspect_ratio_policy=not_smaller", "2x3x9x11"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case test = {
            "Resize", "2x3x4x5 - - i9,7", cases[i].attributes, 18, ANY, NULL};
        const AeShape shape = parse_shape(cases[i].shape);
        Fixture fixture;

        fixture_init(&fixture, &test, FALSE, NULL);
        g_assert_true(
            ae_shape_equal(ae_plan_output_shape(fixture.plan, 0), &shape));
        fixture_clear(&fixture);
    }
}

static const struct {
    const char *op, *inputs, *attributes, *message;
    int opset;
} refused[] = {
    {"Add", "2x3 2x4", "", "2x3 and 2x4 do not broadcast", 17},
    {"PRelu", "2x3 2x2x3", "", "slope", 17},
    {"PRelu", "2x3x4x5 w3", "", "do not broadcast", 7},
    {"Clip", "2x3 f1.0,2.0", "", "scalars", 17},
    {"Softmax", "2x3", "axis=2", "axis 2", 17},
    {"Concat", "2x3 3x4", "axis=1", "cannot be joined", 17},
    {"Split", "2x7", "axis=1", "equal parts", 13},
    {"Split", "2x7 i3,5", "axis=1", "sizes", 13},
    {"Slice", "2x3 i0 i1 i0 i0", "", "step is 0", 17},
    {"Slice", "2x3 2 i1", "", "must be a constant", 17},
    {"Transpose", "2x3", "perm=0,0", "twice", 17},
    {"Expand", "2x3 i4,3", "", "cannot become", 17},
    {"Gather", "2x3 i2", "", "outside", 17},
    {"DepthToSpace", "2x6x2x2", "blocksize=2", "no multiple", 17},
    {"SpaceToDepth", "2x3x5x4", "blocksize=2", "no multiple", 17},
    {"Pad", "2x3 i0,1,0,3", "mode=reflect", "cannot be padded", 17},
    {"Pad", "2x3 i0,1,0,1", "mode=mirror", "'mirror'", 19},
    {"Pad", "2x3 i0,1", "", "two pads", 17},
    {"Reshape", "2x3 i4,-1", "", "cannot make", 17},
    {"Reshape", "2x3 i-1,-1", "", "two dimensions open", 17},
    {"Squeeze", "2x3 i1", "", "squeezed", 17},
    {"Unsqueeze", "2x3 i1,1", "", "twice", 17},
    {"Dropout", "2x3 f0.5 s1", "", "training mode", 17},
    {"Cast", "2x3", "to=8", "data type 8", 17},
    {"MaxPool", "2x3x4x4", "", "kernel_shape", 17},
    {"MaxPool", "2x3x4x4", "kernel_shape=5,5", "does not fit", 17},
    {"MaxPool", "2x3x4x4", "kernel_shape=2,2 pads=2,0,0,0", "pads", 17},
    {"MaxPool", "2x3x4x4", "kernel_shape=2,2 auto_pad=SAME",
     "node 'MaxPool' (MaxPool): auto_pad must be NOTSET, VALID, SAME_UPPER or "
     "SAME_LOWER, not 'SAME'",
     17},
    {"AveragePool", "2x3x4x4", "kernel_shape=2 auto_pad=same_upper",
     "not 'same_upper'", 17},
    {"AveragePool", "2x3x4x4", "kernel_shape=2", "must hold 2 numbers", 17},
    {"Resize", "2x3x4x4 - f1.0,2.0", "", "expected 4 scales", 17},
    {"Resize", "2x3 - f1.0,-1.0", "", "scale of -1", 17},
    {"Mod", "2x3 2x4", "", "do not broadcast", 17},
    {"Gelu", "2x3", "approximate=exact", "'exact'", 20},
    {"Tile", "2x3 i2", "", "do not fit 2 axes", 17},
    {"Range", "f0.0 f1.0 f0.0", "", "no range", 17},
    {"ArgMax", "2x3", "axis=2", "axis 2", 17},
    {"Einsum", "2x3", "equation=ij->im", "'im' is impossible", 17},
    {"Einsum", "2x3", "equation=ijk->i", "letters", 17},
    {"ScatterND", "2x3 i0 2x3", "", "do not fit", 17},
    {"LayerNormalization", "2x3 4", "", "does not broadcast", 17},
    {"GroupNormalization", "2x6x4 3 3", "num_groups=4", "4 groups", 18},
    {"GRU", "4x2x3 w1x15x3 w1x15x5", "activations=Relu,Tanh", "'Relu'", 17},
    {"Resize", "2x3 - f1.0,2.0", "mode=area", "'area'", 17},
    {"Gemm", "2x3 w4x5", "", "columns", 17},
    {"Gemm", "2x3 w3x5 w4", "", "broadcast", 17},
    {"MatMul", "2x3 4x5", "", "cannot be multiplied", 17},
    {"LSTM", "5x2 w1x16x3 w1x16x4", "", "three axes", 17},
    {"LSTM", "5x2x3 w1x16x2 w1x16x4", "", "W of shape 1x16x3", 17},
    {"LSTM", "5x2x3 w1x16x3 w1x12x4", "", "R of shape 1x16x4", 17},
    {"LSTM", "5x2x3 w1x16x3 w1x16x4 w1x16", "", "B of shape 1x32", 17},
    {"LSTM", "5x2x3 w1x16x3 w1x16x4 - - 1x4x2", "", "initial_h of shape", 17},
    {"LSTM", "5x2x3 w1x16x3 w1x16x4 - - - 2x1x4", "", "initial_c of shape", 17},
    {"LSTM", "5x2x3 w1x16x3 w1x16x4", "hidden_size=3", "hidden_size", 17},
    {"LSTM", "5x2x3 w1x16x3 w1x16x4", "direction=both", "'both'", 17},
    {"LSTM", "5x2x3 w2x16x3 w2x16x4", "", "W of shape 1x16x3", 17},
    {"LSTM", "5x2x3 w1x16x3 w1x16x4", "clip=3.0", "clip", 17},
    {"LSTM", "5x2x3 w1x16x3 w1x16x4", "input_forget=1", "input_forget", 17},
    {"LSTM", "5x2x3 w1x16x3 w1x16x4", "activations=Relu,Tanh,Tanh", "'Relu'",
     17},
    {"LSTM", "5x2x3 w1x16x3 w1x16x4", "activations=Sigmoid,Tanh", "found 2",
     17},
    {"LSTM", "5x2x3 w1x16x3 w1x16x4 - i5,4", "", "several lengths", 17},
    {"LSTM", "5x2x3 w1x16x3 w1x16x4 - 2", "", "must be a constant", 17},
    {"BatchNormalization", "2x3x4 w2 w3 c3 c3", "", "3 numbers", 17},
    {"ReduceSum", "2x3 i2", "", "axis 2", 17},
    {"QuantizeLinear", "2x3 f1.0,2.0", "", "3 elements", 13},
    {"QuantizeLinear", "2x3 f1.0,2.0", "axis=2", "axis 2", 13},
    {"QuantizeLinear", "2x3 f1.0 i0", "output_dtype=17", "data type 17", 21},
    {"QuantizeLinear", "2x3 1", "", "must be a constant", 13},
    {"DequantizeLinear", "2x3 f1.0", "block_size=2", "blocks of 2", 21},
    {"ReduceMax", "i", "", "no whole numbers", 17},
    {"Tile", "2x3 i", "", "2 axes", 17},
};

static void test_refused(const void *data)
{
    const size_t at = GPOINTER_TO_SIZE(data);
    const Case test = {refused[at].op,
                       refused[at].inputs,
                       refused[at].attributes,
                       refused[at].opset,
                       ANY,
                       NULL};
    Fixture fixture = {.weights = g_ptr_array_new()};
    AePlanOptions options = {.shapes = fixture.shapes};
    g_autoptr(GError) error = NULL;

    make_model(&fixture, &test, FALSE);
    options.n_inputs = fixture.n_fed;
    g_assert_null(ae_plan_new(fixture.model, &options, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, test.op));
    if (!strstr(error->message, refused[at].message))
        g_error("'%s' lacks '%s'", error->message, refused[at].message);
    fixture_clear(&fixture);
}

/* What a plan of RandomNormalLike draws with @seed. */
static float *draw(uint64_t seed, AePool *pool, int64_t *n)
{
    static const Case test = {
        "RandomNormalLike", "2x3x50x70", "mean=0.5 scale=0.1", 17, ANY, NULL};
    Fixture fixture;
    float *numbers;

    fixture_init(&fixture, &test, FALSE, pool);
    ae_plan_set_seed(fixture.plan, seed);
    ae_plan_run(fixture.plan);
    *n = output_size(&fixture, 0);
    numbers = g_memdup2(ae_plan_output(fixture.plan, 0), *n * sizeof(float));
    fixture_clear(&fixture);
    return numbers;
}

/* Mean and deviation within five standard errors; equal seeds, equal bits. */
/* A node of @op with @n inputs of @shape, without those whose bit in @absent is
 * set; all but the first are @list, unless that is NULL. It has the attributes
 * that operators cannot do without. */
static AeModel *any_model(const char *op, int n, int absent,
                          const AeShape *shape, const char *list)
{
    AeModel *model = ae_model_new(28);
    int inputs[MAX_INPUTS], output;
    AeNode *node;

    for (int i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("in%d", i);

        if (absent >> i & 1)
            inputs[i] = -1;
        else if (i > 0 && list != NULL)
            inputs[i] = ae_model_add_constant(
                model, name, parse_list(list, TRUE, FALSE), FALSE, NULL);
        else
            inputs[i] = ae_model_add_input(model, name, shape, NULL);
    }
    output = ae_model_add_value(model, "out", NULL, NULL);
    node = ae_model_add_node(model, op, op, inputs, n, &output, 1, NULL);
    if (node != NULL) {
        set_attributes(node, "kernel_shape=2,2 blocksize=2 to=1 hidden_size=2");
        ae_node_set_string(node, "equation", "ab,bc->ac");
    }
    ae_model_add_output(model, output);
    return model;
}

static void try_any(const AeModel *model, const AeShape *shape)
{
    const AeShape shapes[MAX_INPUTS] = {*shape, *shape, *shape, *shape};
    const AePlanOptions options = {
        .shapes = shapes,
        .n_inputs = (int)model->inputs->len,
    };
    g_autoptr(GError) error = NULL;
    AePlan *plan = ae_plan_new((AeModel *)model, &options, &error);

    g_assert_true((plan != NULL) == (error == NULL));
    if (plan != NULL) {
        for (int i = 0; i < options.n_inputs; i++)
            fill(ae_plan_input(plan, i), ae_shape_elements(shape), ANY, i);
        ae_plan_run(plan);
    }
    ae_plan_free(plan);
}

static void test_any(void)
{
    static const AeShape shapes[] = {
        {0, {0}}, {2, {2, 3}}, {2, {0, 3}}, {4, {1, 2, 4, 4}}};
    static const char *const lists[] = {NULL, "1", "1,2"};
    g_autofree char *list = ae_operator_names();
    g_auto(GStrv) names = g_strsplit(list, ", ", -1);

    for (int i = 0; names[i] != NULL; i++)
        for (int n = 0; n <= MIN(ae_operator_find(names[i])->max_in, 4); n++)
            for (int k = 0; k < (int)G_N_ELEMENTS(shapes) * 3 << n; k++) {
                const AeShape *shape = &shapes[(k >> n) % 4];
                g_autoptr(AeModel) model =
                    any_model(names[i], n, k & ((1 << n) - 1), shape,
                              lists[(k >> n) / 4]);

                if (model->nodes->len > 0)
                    try_any(model, shape);
            }
}

static void test_random(void)
{
    g_autoptr(AePool) pool = ae_pool_new(3);
    int64_t n;
    g_autofree float *a = draw(1, NULL, &n), *b = draw(1, pool, &n);
    g_autofree float *c = draw(2, NULL, &n);
    double sum = 0, squares = 0;

    for (int64_t i = 0; i < n; i++)
        sum += a[i];
    for (int64_t i = 0; i < n; i++)
        squares += (a[i] - sum / (double)n) * (a[i] - sum / (double)n);
    g_assert_cmpfloat_with_epsilon(sum / (double)n, 0.5,
                                   5 * 0.1 / sqrt((double)n));
    g_assert_cmpfloat_with_epsilon(sqrt(squares / (double)n), 0.1,
                                   5 * 0.1 / sqrt(2 * (double)n));
    g_assert_cmpmem(a, n * sizeof *a, b, n * sizeof *b);
    g_assert_cmpint(memcmp(a, c, n * sizeof *a), !=, 0);
}

static void add_test(const char *kind, size_t i, const char *op,
                     const char *inputs, const void *data, GTestDataFunc run)
{
    g_autofree char *path =
        g_strdup_printf("/operators/%s/%03zu-%s-%s", kind, i, op, inputs);

    g_strdelimit(path, " ", '_');
    g_test_add_data_func(path, data, run);
}

static void run_bench(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        print_times(&cases[i]);
}

int main(int argc, char **argv)
{
    if (argc > 1 && g_str_equal(argv[1], "--bench")) {
        run_bench();
        return 0;
    }
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *test = &cases[i];

        add_test("gradients", i, test->op, test->inputs, test, test_gradients);
        add_test("contract", i, test->op, test->inputs, test, test_contract);
        add_test("threads", i, test->op, test->inputs, test, test_threads);
    }
    g_test_add_func("/operators/product", test_product);
    g_test_add_func("/operators/aspect", test_aspect);
    g_test_add_func("/operators/random", test_random);
    g_test_add_func("/operators/any", test_any);
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        add_test("values", i, values[i].op, values[i].inputs,
                 GSIZE_TO_POINTER(i), test_values);
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
        add_test("refused", i, refused[i].op, refused[i].inputs,
                 GSIZE_TO_POINTER(i), test_refused);
    return g_test_run();
}
