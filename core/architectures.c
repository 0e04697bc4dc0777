/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each network reads like its table: conv(), pool(), up() append to the tape
 * and return the new value. All are ONNX opset 17. */
#include "architectures.h"

#include <math.h>
#include <string.h>

#include "error.h"
#include "random.h"

typedef struct {
    AeModel *model;
    uint64_t seed;
    int channels; /* of the image */
} Net;

static int new_value(Net *net, const char *name)
{
    return ae_model_add_value(net->model, name, NULL, NULL);
}

/* Appends a node named after its number; its output carries the same name. */
static AeNode *append(Net *net, const char *op, const int *in, int n_in,
                      int *out)
{
    char *kind = g_ascii_strdown(op, -1);
    g_autofree char *name =
        g_strdup_printf("%s%u", kind, net->model->nodes->len + 1);

    g_free(kind);
    *out = new_value(net, name);
    return ae_model_add_node(net->model, op, name, in, n_in, out, 1, NULL);
}

/* Glorot uniform (Glorot and Bengio, AISTATS 2010, eq. 16). */
static void glorot(Net *net, AeTensor *weight, int64_t fan_in, int64_t fan_out)
{
    AeRandom random = ae_random(net->seed, net->model->values->len);
    float limit = sqrtf(6.0f / (float)(fan_in + fan_out));
    int64_t n = ae_shape_elements(&weight->shape);

    for (int64_t i = 0; i < n; i++)
        weight->data[i] = limit * (2 * ae_random_uniform(&random) - 1);
}

static int add_weight(Net *net, const char *suffix, AeTensor *tensor)
{
    g_autofree char *name =
        g_strdup_printf("%u.%s", net->model->nodes->len + 1, suffix);

    return ae_model_add_constant(net->model, name, tensor, TRUE, NULL);
}

static int zeros(Net *net, const char *suffix, int n)
{
    AeShape shape = ae_shape(1, n);

    return add_weight(net, suffix, ae_tensor_new(&shape, NULL));
}

static int relu(Net *net, int x)
{
    int y;

    append(net, "Relu", &x, 1, &y);
    return y;
}

static int sigmoid(Net *net, int x)
{
    int y;

    append(net, "Sigmoid", &x, 1, &y);
    return y;
}

static int add(Net *net, int a, int b)
{
    int y;

    append(net, "Add", (int[]){a, b}, 2, &y);
    return y;
}

/* A convolution with a k x k kernel; stride 1 keeps the size if @same. */
static int conv(Net *net, int x, int ci, int co, int k, int stride,
                gboolean same)
{
    AeShape shape = ae_shape(4, co, ci, k, k);
    AeTensor *tensor = ae_tensor_new(&shape, NULL);
    int y, p = same && stride == 1 ? k / 2 : 0;

    glorot(net, tensor, (int64_t)ci * k * k, (int64_t)co * k * k);
    int w = add_weight(net, "weight", tensor);
    int b = zeros(net, "bias", co);
    AeNode *node = append(net, "Conv", (int[]){x, w, b}, 3, &y);
    ae_node_set_ints(node, "kernel_shape", (int64_t[]){k, k}, 2);
    ae_node_set_ints(node, "strides", (int64_t[]){stride, stride}, 2);
    ae_node_set_ints(node, "pads", (int64_t[]){p, p, p, p}, 4);
    return y;
}

static int conv3(Net *net, int x, int ci, int co)
{
    return conv(net, x, ci, co, 3, 1, TRUE);
}

/* The transposed convolution that doubles height and width. */
static int conv_up(Net *net, int x, int ci, int co)
{
    AeShape shape = ae_shape(4, ci, co, 2, 2);
    AeTensor *tensor = ae_tensor_new(&shape, NULL);
    int y;

    glorot(net, tensor, (int64_t)ci * 4, (int64_t)co * 4);
    int w = add_weight(net, "weight", tensor);
    int b = zeros(net, "bias", co);
    AeNode *node = append(net, "ConvTranspose", (int[]){x, w, b}, 3, &y);
    ae_node_set_ints(node, "kernel_shape", (int64_t[]){2, 2}, 2);
    ae_node_set_ints(node, "strides", (int64_t[]){2, 2}, 2);
    return y;
}

/* 2 x 2 maxima; an odd size is padded at the bottom and right, as TF does. */
static int pool(Net *net, int x)
{
    int y;
    AeNode *node = append(net, "MaxPool", &x, 1, &y);

    ae_node_set_ints(node, "kernel_shape", (int64_t[]){2, 2}, 2);
    ae_node_set_ints(node, "strides", (int64_t[]){2, 2}, 2);
    ae_node_set_string(node, "auto_pad", "SAME_UPPER");
    return y;
}

/* Nearest neighbour, twice the size. */
static int up(Net *net, int x)
{
    int y, scales = ae_model_find(net->model, "scales");

    if (scales < 0) {
        AeShape shape = ae_shape(1, 4);
        AeTensor *tensor = ae_tensor_new(&shape, NULL);
        memcpy(tensor->data, (float[]){1, 1, 2, 2}, 4 * sizeof(float));
        scales =
            ae_model_add_constant(net->model, "scales", tensor, FALSE, NULL);
    }
    AeNode *node = append(net, "Resize", (int[]){x, -1, scales}, 3, &y);
    ae_node_set_string(node, "mode", "nearest");
    ae_node_set_string(node, "nearest_mode", "floor");
    ae_node_set_string(node, "coordinate_transformation_mode", "asymmetric");
    return y;
}

static int pixel_shuffle(Net *net, int x)
{
    int y;
    AeNode *node = append(net, "DepthToSpace", &x, 1, &y);

    ae_node_set_int(node, "blocksize", 2);
    ae_node_set_string(node, "mode", "CRD");
    return y;
}

static void name_latent(Net *net, int value)
{
    ae_model_set(net->model, "ae.latent",
                 ae_model_value(net->model, value)->name);
}

static int keras(Net *net, int x)
{
    int c = net->channels;

    x = pool(net, relu(net, conv3(net, x, c, 16)));
    x = pool(net, relu(net, conv3(net, x, 16, 8)));
    x = pool(net, relu(net, conv3(net, x, 8, 8)));
    name_latent(net, x);
    x = up(net, relu(net, conv3(net, x, 8, 8)));
    x = up(net, relu(net, conv3(net, x, 8, 8)));
    x = up(net, relu(net, conv(net, x, 8, 16, 3, 1, FALSE)));
    return sigmoid(net, conv3(net, x, 16, c));
}

/* A fully connected layer. */
static int dense_layer(Net *net, int x, int n_in, int n_out)
{
    AeShape shape = ae_shape(2, n_out, n_in);
    AeTensor *tensor = ae_tensor_new(&shape, NULL);
    int y;

    glorot(net, tensor, n_in, n_out);
    int w = add_weight(net, "weight", tensor);
    int b = zeros(net, "bias", n_out);
    AeNode *node = append(net, "Gemm", (int[]){x, w, b}, 3, &y);
    ae_node_set_int(node, "transB", 1);
    return y;
}

static int flatten(Net *net, int x)
{
    int y;

    append(net, "Flatten", &x, 1, &y);
    return y;
}

/* Rows of numbers as square images. */
static int unflatten(Net *net, int x, int size)
{
    AeShape shape = ae_shape(1, 4);
    AeTensor *tensor = ae_tensor_new(&shape, NULL);
    int y;

    memcpy(tensor->data, (float[]){-1, net->channels, size, size},
           4 * sizeof(float));
    tensor->integer = TRUE;
    int s = ae_model_add_constant(net->model, "shape", tensor, FALSE, NULL);
    append(net, "Reshape", (int[]){x, s}, 2, &y);
    return y;
}

static int dense(Net *net, int x)
{
    int n = net->channels * 28 * 28;

    x = relu(net, dense_layer(net, flatten(net, x), n, 512));
    x = dense_layer(net, x, 512, 2);
    name_latent(net, x);
    x = relu(net, dense_layer(net, x, 2, 512));
    x = sigmoid(net, dense_layer(net, x, 512, n));
    return unflatten(net, x, 28);
}

static int block(Net *net, int x, int c)
{
    x = relu(net, conv3(net, x, c, c));
    return relu(net, conv3(net, x, c, c));
}

/* Levels of a, b and c channels at 1/2, 1/4 and 1/8 of the size. */
static int unet(Net *net, int image, int a, int b, int c)
{
    int n = net->channels, y;
    int x = relu(net, conv(net, image, n, a, 2, 2, FALSE));
    int e0 = block(net, x, a);
    int e1 = block(net, relu(net, conv(net, e0, a, b, 2, 2, FALSE)), b);

    x = block(net, relu(net, conv(net, e1, b, c, 2, 2, FALSE)), c);
    x = block(net, add(net, conv_up(net, x, c, b), e1), b);
    x = block(net, add(net, conv_up(net, x, b, a), e0), a);
    x = pixel_shuffle(net, conv3(net, x, a, 4 * n));
    append(net, "Sub", (int[]){image, x}, 2, &y);
    ae_model_set(net->model, "ae.multiple", "8");
    return y;
}

static int unet_s(Net *net, int x)
{
    return unet(net, x, 16, 32, 64);
}

static int unet_xs(Net *net, int x)
{
    return unet(net, x, 8, 16, 32);
}

static const struct {
    const char *name;
    int (*build)(Net *net, int image);
    int size; /* of the image; 0: any */
    const char *description;
} table[] = {
    {"keras", keras, 28,
     "The convolutional autoencoder of the Keras blog and of the lesson (S1, "
     "S2, K4): 28 x 28, latent 8 x 4 x 4, 4,385 weights on one channel"},
    {"dense", dense, 28,
     "Fully connected, the layers of the lesson's dense autoencoder without "
     "its "
     "sampling (S4): 784-512-2-512-784, 806,674 weights on one channel"},
    {"unet-s", unet_s, 0,
     "Residual U-Net with additive skips, 16, 32 and 64 channels at 1/2, 1/4 "
     "and 1/8 of the size; 6.4 k multiply-adds a pixel"},
    {"unet-xs", unet_xs, 0,
     "The same with 8, 16 and 32 channels; 1.6 k multiply-adds a pixel"},
};

const char *const *ae_architecture_names(void)
{
    static const char *names[G_N_ELEMENTS(table) + 1];
    static gsize listed;

    if (g_once_init_enter(&listed)) {
        for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
            names[i] = table[i].name;
        g_once_init_leave(&listed, 1);
    }
    return names;
}

const char *ae_architecture_describe(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].description;
    return NULL;
}

/* Every network here returns an image of the size that it gets. */
static void declare_image(AeModel *model, int number, const AeShape *shape)
{
    static const char *const names[] = {"N", NULL, "H", "W"};
    AeValue *value = ae_model_value(model, number);

    value->has_shape = TRUE;
    value->shape = *shape;
    value->dim_names = g_new0(char *, shape->rank + 1);
    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] == AE_UNKNOWN)
            value->dim_names[i] = g_strdup(names[i]);
}

static AeModel *build(size_t i, int channels, uint64_t seed)
{
    int size = table[i].size > 0 ? table[i].size : AE_UNKNOWN;
    AeShape shape = ae_shape(4, AE_UNKNOWN, channels, size, size);
    Net net = {ae_model_new(17), seed, channels};
    int x = ae_model_add_input(net.model, "image", &shape, NULL);
    int y = table[i].build(&net, x);

    declare_image(net.model, x, &shape);
    declare_image(net.model, y, &shape);
    ae_model_add_output(net.model, y);
    ae_model_set(net.model, "ae.architecture", table[i].name);
    return net.model;
}

AeModel *ae_architecture_new(const char *name, int channels, uint64_t seed,
                             GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return build(i, channels, seed);
    g_autofree char *names = g_strjoinv(", ", (char **)ae_architecture_names());
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "no architecture is called '%s'; there are %s", name, names);
    return NULL;
}
