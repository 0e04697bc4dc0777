/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Appends the nodes and weights of each building block. */
#include "networks/builder.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "model/metadata.h"
#include "ops/attributes.h"
#include "model/build.h"

static int new_value(AeNet *net, const char *name)
{
    return ae_model_add_value(net->model, name, NULL, NULL);
}

AeNode *ae_net_append(AeNet *net, const char *op, const int *in, int n_in,
                      int *out)
{
    g_autofree char *kind = g_ascii_strdown(op, -1);
    g_autofree char *name =
        g_strdup_printf("%s%u", kind, net->model->nodes->len + 1);

    *out = new_value(net, name);
    return ae_model_add_node(net->model, op, name, in, n_in, out, 1, NULL);
}

static int unary(AeNet *net, const char *op, int x)
{
    int y;

    ae_net_append(net, op, &x, 1, &y);
    return y;
}

static int binary(AeNet *net, const char *op, int a, int b)
{
    int y;

    ae_net_append(net, op, (int[]){a, b}, 2, &y);
    return y;
}

/* A tensor of zeros. Once there was no memory for one, all are empty: the
 * network is not used, and only its weights are counted. */
static AeTensor *new_tensor(AeNet *net, const AeShape *shape)
{
    AeTensor *tensor =
        net->error == NULL ? ae_tensor_new(shape, &net->error) : NULL;
    double n = 1;

    for (int i = 0; i < shape->rank; i++)
        n *= (double)shape->dim[i];
    net->n_weights += n;
    if (tensor == NULL) {
        tensor = g_new0(AeTensor, 1);
        tensor->shape = ae_shape(1, 0);
    }
    return tensor;
}

static void set_values(AeTensor *tensor, const float *values)
{
    size_t n = (size_t)ae_shape_elements(&tensor->shape);

    if (n > 0)
        memcpy(tensor->data, values, n * sizeof(float));
}

static int constant(AeNet *net, const char *name, const float *values, int n,
                    gboolean integer)
{
    AeShape shape = ae_shape(1, n);
    AeTensor *tensor = new_tensor(net, &shape);

    set_values(tensor, values);
    tensor->integer = integer;
    return ae_model_add_constant(net->model, name, tensor, FALSE, NULL);
}

static int scalar(AeNet *net, const char *name, float value)
{
    AeShape shape = ae_shape(0);
    AeTensor *tensor = new_tensor(net, &shape);

    set_values(tensor, &value);
    return ae_model_add_constant(net->model, name, tensor, FALSE, NULL);
}

/* Appends a node with input @x and a list of whole numbers: a shape or axes. */
static int listed(AeNet *net, const char *op, int x, const float *list, int n)
{
    g_autofree char *name =
        g_strdup_printf("%u.list", net->model->nodes->len + 1);

    return binary(net, op, x, constant(net, name, list, n, TRUE));
}

static void glorot(AeNet *net, AeTensor *weight, int64_t fan_in,
                   int64_t fan_out)
{
    AeRandom random = ae_random(net->options.seed, net->model->values->len);
    float limit = sqrtf(6.0f / (float)(fan_in + fan_out));
    int64_t n = ae_shape_elements(&weight->shape);

    for (int64_t i = 0; i < n; i++)
        weight->data[i] = limit * (2 * ae_random_uniform(&random) - 1);
}

static int add_weight(AeNet *net, const char *suffix, AeTensor *tensor)
{
    g_autofree char *name =
        g_strdup_printf("%u.%s", net->model->nodes->len + 1, suffix);

    return ae_model_add_constant(net->model, name, tensor, TRUE, NULL);
}

static int zeros(AeNet *net, const char *suffix, int n)
{
    AeShape shape = ae_shape(1, n);

    return add_weight(net, suffix, new_tensor(net, &shape));
}

/* The weights of a kernel from @ci to @co channels. Those of a transposed
 * convolution have both the other way round. */
static int kernel(AeNet *net, int ci, int co, int k, gboolean transposed)
{
    AeShape shape =
        transposed ? ae_shape(4, ci, co, k, k) : ae_shape(4, co, ci, k, k);
    AeTensor *tensor = new_tensor(net, &shape);

    glorot(net, tensor, (int64_t)ci * k * k, (int64_t)co * k * k);
    return add_weight(net, "weight", tensor);
}

int ae_net_relu(AeNet *net, int x)
{
    return unary(net, "Relu", x);
}

int ae_net_leaky_relu(AeNet *net, int x, float slope)
{
    int y;

    ae_node_set_float(ae_net_append(net, "LeakyRelu", &x, 1, &y), "alpha",
                      slope);
    return y;
}

int ae_net_sigmoid(AeNet *net, int x)
{
    return unary(net, "Sigmoid", x);
}

int ae_net_add(AeNet *net, int a, int b)
{
    return binary(net, "Add", a, b);
}

int ae_net_subtract(AeNet *net, int a, int b)
{
    return binary(net, "Sub", a, b);
}

/* Pads an image by @begin at the top and left and by @end at the bottom and
 * right. */
static int conv(AeNet *net, int x, int ci, int co, int k, int stride, int begin,
                int end)
{
    int y, w = kernel(net, ci, co, k, FALSE), b = zeros(net, "bias", co);
    AeNode *node = ae_net_append(net, "Conv", (int[]){x, w, b}, 3, &y);

    ae_node_set_ints(node, "kernel_shape", (int64_t[]){k, k}, 2);
    ae_node_set_ints(node, "strides", (int64_t[]){stride, stride}, 2);
    ae_node_set_ints(node, "pads", (int64_t[]){begin, begin, end, end}, 4);
    return y;
}

int ae_net_conv(AeNet *net, int x, int ci, int co, int k)
{
    return conv(net, x, ci, co, k, 1, k / 2, k / 2);
}

int ae_net_conv_valid(AeNet *net, int x, int ci, int co, int k)
{
    return conv(net, x, ci, co, k, 1, 0, 0);
}

int ae_net_conv_half(AeNet *net, int x, int ci, int co, int k)
{
    int pad = k - 2; /* TensorFlow's SAME for even sizes and stride 2 */

    return conv(net, x, ci, co, k, 2, pad / 2, pad - pad / 2);
}

int ae_net_conv_up(AeNet *net, int x, int ci, int co, int k, gboolean bias)
{
    int y, w = kernel(net, ci, co, k, TRUE);
    int b = bias ? zeros(net, "bias", co) : -1, pad = k - 2;
    AeNode *node =
        ae_net_append(net, "ConvTranspose", (int[]){x, w, b}, bias ? 3 : 2, &y);

    ae_node_set_ints(node, "kernel_shape", (int64_t[]){k, k}, 2);
    ae_node_set_ints(node, "strides", (int64_t[]){2, 2}, 2);
    ae_node_set_ints(
        node, "pads",
        (int64_t[]){pad / 2, pad / 2, pad - pad / 2, pad - pad / 2}, 4);
    return y;
}

int ae_net_pool(AeNet *net, int x)
{
    int y;
    AeNode *node = ae_net_append(net, "MaxPool", &x, 1, &y);

    ae_node_set_ints(node, "kernel_shape", (int64_t[]){2, 2}, 2);
    ae_node_set_ints(node, "strides", (int64_t[]){2, 2}, 2);
    ae_node_set_string(node, "auto_pad", "SAME_UPPER");
    return y;
}

/* Enlarges the image @scale times. */
static AeNode *append_resize(AeNet *net, int x, int scale, const char *mode,
                             int *y)
{
    float factors[] = {1, 1, (float)scale, (float)scale};
    g_autofree char *name = g_strdup_printf("scales%d", scale);
    int scales = ae_model_find(net->model, name);

    if (scales < 0)
        scales = constant(net, name, factors, 4, FALSE);
    AeNode *node = ae_net_append(net, "Resize", (int[]){x, -1, scales}, 3, y);
    ae_node_set_string(node, "mode", mode);
    return node;
}

int ae_net_enlarge(AeNet *net, int x, int scale)
{
    int y;
    AeNode *node = append_resize(net, x, scale, "nearest", &y);

    ae_node_set_string(node, "nearest_mode", "floor");
    ae_node_set_string(node, "coordinate_transformation_mode", "asymmetric");
    return y;
}

int ae_net_interpolate(AeNet *net, int x, int scale, const char *mode)
{
    int low = scalar(net, "low", 0), high = scalar(net, "high", 1), y;
    AeNode *node = append_resize(net, x, scale, mode, &y);

    ae_node_set_float(node, "cubic_coeff_a", -0.5f);
    ae_net_append(net, "Clip", (int[]){y, low, high}, 3, &y);
    return y;
}

int ae_net_up(AeNet *net, int x)
{
    return ae_net_enlarge(net, x, 2);
}

int ae_net_pixel_shuffle(AeNet *net, int x, int scale)
{
    int y;
    AeNode *node = ae_net_append(net, "DepthToSpace", &x, 1, &y);

    ae_node_set_int(node, "blocksize", scale);
    ae_node_set_string(node, "mode", "CRD");
    return y;
}

int ae_net_dense(AeNet *net, int x, int n_in, int n_out)
{
    AeShape shape = ae_shape(2, n_out, n_in);
    AeTensor *tensor = new_tensor(net, &shape);
    int y;

    glorot(net, tensor, n_in, n_out);
    int w = add_weight(net, "weight", tensor);
    int b = zeros(net, "bias", n_out);
    AeNode *node = ae_net_append(net, "Gemm", (int[]){x, w, b}, 3, &y);
    ae_node_set_int(node, "transB", 1);
    return y;
}

int ae_net_flatten(AeNet *net, int x)
{
    return unary(net, "Flatten", x);
}

int ae_net_unflatten(AeNet *net, int x, int channels, int height, int width)
{
    float shape[] = {-1, (float)channels, (float)height, (float)width};

    return listed(net, "Reshape", x, shape, 4);
}

static int transpose(AeNet *net, int x, const int64_t *order)
{
    int y;

    ae_node_set_ints(ae_net_append(net, "Transpose", &x, 1, &y), "perm", order,
                     4);
    return y;
}

int ae_net_image_steps(AeNet *net, int x)
{
    const AeArchitectureOptions *o = &net->options;
    float shape[] = {(float)o->height, -1, (float)(o->channels * o->width)};

    x = transpose(net, x, (int64_t[]){2, 0, 1, 3});
    return listed(net, "Reshape", x, shape, 3);
}

int ae_net_steps_image(AeNet *net, int x)
{
    const AeArchitectureOptions *o = &net->options;
    float shape[] = {(float)o->height, -1, (float)o->channels, (float)o->width};

    x = listed(net, "Reshape", x, shape, 4);
    return transpose(net, x, (int64_t[]){1, 2, 0, 3});
}

int ae_net_repeat(AeNet *net, int x, int steps)
{
    x = listed(net, "Unsqueeze", x, (float[]){0}, 1);
    return listed(net, "Expand", x, (float[]){(float)steps, 1, 1}, 3);
}

static int lstm_weight(AeNet *net, const char *suffix, int units, int n_in)
{
    AeShape shape = ae_shape(3, 1, 4 * units, n_in);
    AeTensor *tensor = new_tensor(net, &shape);

    glorot(net, tensor, n_in, 4 * (int64_t)units);
    return add_weight(net, suffix, tensor);
}

/* The bias of gates in ONNX's order: input, output, forget, cell. */
static int lstm_bias(AeNet *net, int units)
{
    const float open = 3; /* 1 - sigmoid(3) = 5 % are forgotten in a step */
    AeShape shape = ae_shape(2, 1, 8 * units);
    AeTensor *tensor = new_tensor(net, &shape);

    if (net->error == NULL)
        for (int i = 2 * units; i < 3 * units; i++)
            tensor->data[i] = open;
    return add_weight(net, "bias", tensor);
}

/* An LSTM; returns the states of all steps, or the last one. */
static int lstm(AeNet *net, int x, int n_in, int units, gboolean last)
{
    int w = lstm_weight(net, "weight", units, n_in);
    int r = lstm_weight(net, "recurrence", units, units);
    int b = lstm_bias(net, units);
    g_autofree char *name =
        g_strdup_printf("lstm%u", net->model->nodes->len + 1);
    int y = new_value(net, name), out[] = {last ? -1 : y, y};

    ae_node_set_int(ae_model_add_node(net->model, "LSTM", name,
                                      (int[]){x, w, r, b}, 4, out, last ? 2 : 1,
                                      NULL),
                    "hidden_size", units);
    return y;
}

int ae_net_lstm_last(AeNet *net, int x, int n_in, int units)
{
    x = lstm(net, x, n_in, units, TRUE);
    return listed(net, "Squeeze", x, (float[]){0}, 1);
}

int ae_net_lstm_rows(AeNet *net, int x, int n_in, int units)
{
    x = lstm(net, x, n_in, units, FALSE);
    return listed(net, "Reshape", x, (float[]){-1, (float)units}, 2);
}

int ae_net_with_label(AeNet *net, int x)
{
    int y;

    if (net->label < 0)
        return x;
    ae_node_set_int(ae_net_append(net, "Concat", (int[]){x, net->label}, 2, &y),
                    "axis", 1);
    return y;
}

static void name_value(AeNet *net, AeMetadataName name, int value)
{
    AeMetadata metadata = {0};

    metadata.names[name] = ae_model_value(net->model, value)->name;
    ae_metadata_write(net->model, &metadata);
}

static int normal_like(AeNet *net, int x, float sd)
{
    int y;

    ae_node_set_float(ae_net_append(net, "RandomNormalLike", &x, 1, &y),
                      "scale", sd);
    return y;
}

int ae_net_code(AeNet *net, int x)
{
    float sd = net->options.latent_noise;

    if (sd > 0) {
        name_value(net, AE_NAME_MEAN, x);
        x = ae_net_add(net, x, normal_like(net, x, sd));
    }
    name_value(net, AE_NAME_LATENT, x);
    return x;
}

static int draw_code(AeNet *net, int mean, int sd)
{
    int noise = normal_like(net, mean, net->options.latent_noise);
    int z = ae_net_add(net, mean, binary(net, "Mul", sd, noise));

    name_value(net, AE_NAME_LATENT, z);
    return z;
}

int ae_net_sampled_code(AeNet *net, int x, int n_in)
{
    int n = net->options.latent_size;
    int mean = ae_net_dense(net, x, n_in, n);
    int spread = ae_net_dense(net, x, n_in, n), log_sd = spread;

    if (net->options.form == AE_VAE_LOG_VARIANCE)
        log_sd = binary(net, "Mul", spread,
                        constant(net, "half", (float[]){0.5f}, 1, FALSE));
    if (net->options.form == AE_VAE_LOG_SD)
        spread = ae_net_add(net, log_sd, log_sd);
    name_value(net, AE_NAME_MEAN, mean);
    name_value(net, AE_NAME_LOG_VARIANCE, spread);
    return draw_code(net, mean, unary(net, "Exp", log_sd));
}

int ae_net_sampled_code_sd(AeNet *net, int x, int n_in)
{
    int n = net->options.latent_size;
    int mean = ae_net_dense(net, x, n_in, n);
    int sd = ae_net_dense(net, x, n_in, n);

    name_value(net, AE_NAME_MEAN, mean);
    name_value(net, AE_NAME_LOG_VARIANCE,
               unary(net, "Log", binary(net, "Mul", sd, sd)));
    return draw_code(net, mean, sd);
}

AeModel *ae_net_finish(AeNet *net, GError **error)
{
    if (net->error == NULL)
        return net->model;
    g_clear_error(&net->error);
    ae_model_unref(net->model);
    g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                "there is no memory for a network of %.0f weights, %.0f bytes",
                net->n_weights, net->n_weights * sizeof(float));
    return NULL;
}
