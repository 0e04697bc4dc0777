/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The attributes of ONNX's operators, from its list of operators
 * (docs/Operators.md and docs/Changelog.md of the project ONNX). */
#include "model/onnx-attributes.h"

#include <stdlib.h>
#include <string.h>

/* Each attribute is followed by the opsets that have it, where not all do, as
 * ":first-last"; either may be missing. Attributes of opset 6 whose meaning is
 * another today are left out. */
static const struct {
    const char *op, *attributes;
} known[] = {
    {"Add", "broadcast:-6"},
    {"And", "broadcast:-6"},
    {"ArgMax", "axis keepdims select_last_index:12"},
    {"ArgMin", "axis keepdims select_last_index:12"},
    {"AveragePool", "auto_pad ceil_mode:10 count_include_pad:7 dilations:19 "
                    "kernel_shape pads strides"},
    {"BatchNormalization",
     "epsilon is_test:-6 momentum spatial:-8 training_mode:14"},
    {"Cast", "round_mode:24 saturate:19 to"},
    {"Celu", "alpha"},
    {"Clip", "max:-10 min:-10"},
    {"Concat", "axis"},
    {"Constant", "sparse_value:11 value value_float:12 value_floats:12 "
                 "value_int:12 value_ints:12 value_string:12 value_strings:12"},
    {"ConstantOfShape", "value"},
    {"Conv", "auto_pad dilations group kernel_shape pads strides"},
    {"ConvTranspose", "auto_pad dilations group kernel_shape output_padding "
                      "output_shape pads strides"},
    {"DepthToSpace", "blocksize mode:11"},
    {"DequantizeLinear", "axis:13 block_size:21 output_dtype:23"},
    {"Div", "broadcast:-6"},
    {"Dropout", "is_test:-6 ratio:-11 seed:12"},
    {"Einsum", "equation"},
    {"Elu", "alpha"},
    {"Equal", "broadcast:-6"},
    {"Flatten", "axis"},
    {"GRU", "activation_alpha activation_beta activations clip direction "
            "hidden_size layout:14 linear_before_reset"},
    {"Gather", "axis"},
    {"Gelu", "approximate"},
    {"Gemm", "alpha beta broadcast:-6 transA transB"},
    {"Greater", "broadcast:-6"},
    {"GroupNormalization", "epsilon num_groups stash_type:21"},
    {"HardSigmoid", "alpha beta"},
    {"InstanceNormalization", "epsilon"},
    {"LSTM", "activation_alpha activation_beta activations clip direction "
             "hidden_size input_forget layout:14"},
    {"LayerNormalization", "axis epsilon stash_type"},
    {"LeakyRelu", "alpha"},
    {"Less", "broadcast:-6"},
    {"LogSoftmax", "axis"},
    {"MaxPool", "auto_pad ceil_mode:10 dilations:10 kernel_shape pads "
                "storage_order:8 strides"},
    {"Mod", "fmod"},
    {"Mul", "broadcast:-6"},
    {"Or", "broadcast:-6"},
    {"Pad", "mode pads:-10 value:-10"},
    {"Pow", "broadcast:-6"},
    {"QuantizeLinear",
     "axis:13 block_size:21 output_dtype:21 precision:23 saturate:19"},
    {"RMSNormalization", "axis epsilon stash_type"},
    {"RNN", "activation_alpha activation_beta activations clip direction "
            "hidden_size layout:14"},
    {"RandomNormalLike", "dtype mean scale seed"},
    {"Range", "stash_type:27"},
    {"ReduceL1", "axes:-17 keepdims noop_with_empty_axes:18"},
    {"ReduceL2", "axes:-17 keepdims noop_with_empty_axes:18"},
    {"ReduceMax", "axes:-17 keepdims noop_with_empty_axes:18"},
    {"ReduceMean", "axes:-17 keepdims noop_with_empty_axes:18"},
    {"ReduceMin", "axes:-17 keepdims noop_with_empty_axes:18"},
    {"ReduceProd", "axes:-17 keepdims noop_with_empty_axes:18"},
    {"ReduceSum", "axes:-12 keepdims noop_with_empty_axes:13"},
    {"ReduceSumSquare", "axes:-17 keepdims noop_with_empty_axes:18"},
    {"Reshape", "allowzero:14"},
    {"Resize", "antialias:18 axes:18 coordinate_transformation_mode:11 "
               "cubic_coeff_a:11 exclude_outside:11 extrapolation_value:11 "
               "keep_aspect_ratio_policy:18 mode nearest_mode:11"},
    {"ScatterND", "reduction:16"},
    {"Selu", "alpha gamma"},
    {"Shape", "end:15 start:15"},
    {"Slice", "axes:-9 ends:-9 starts:-9"},
    {"Softmax", "axis"},
    {"SpaceToDepth", "blocksize mode:28"},
    {"Split", "axis num_outputs:18 split:-12"},
    {"Squeeze", "axes:-12"},
    {"Sub", "broadcast:-6"},
    {"Swish", "alpha"},
    {"ThresholdedRelu", "alpha"},
    {"Transpose", "perm"},
    {"Unsqueeze", "axes:-12"},
    {"Upsample", "mode scales:7-8"},
};

static const char *find_operator(const char *op)
{
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(known[i].op, op) == 0)
            return known[i].attributes;
    return "";
}

/* Whether @opset is in @range: "", "first", "first-last" or "-last". */
static gboolean is_in(const char *range, int opset)
{
    const char *last = strchr(range, '-');

    return opset >= atoi(range[0] == '-' ? "0" : range) &&
           (last == NULL || opset <= atoi(last + 1));
}

gboolean ae_onnx_attribute_known(const char *op, const char *name, int opset)
{
    g_auto(GStrv) attributes = g_strsplit(find_operator(op), " ", -1);

    for (int i = 0; attributes[i] != NULL; i++) {
        g_auto(GStrv) parts = g_strsplit(attributes[i], ":", 2);

        if (parts[0] != NULL && strcmp(parts[0], name) == 0)
            return parts[1] == NULL || is_in(parts[1], opset);
    }
    return FALSE;
}
