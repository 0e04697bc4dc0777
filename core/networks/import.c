/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SRVGGNetCompact (Wang et al., Real-ESRGAN, ICCV Workshops 2021), SPAN (Wan et
 * al., CVPR Workshops 2024) and TAESD (Bohan, 2023), the latter also under the
 * names of diffusers' AutoencoderTiny. */
#include "networks/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/gemm.h"
#include "model/build.h"
#include "model/metadata.h"
#include "networks/builder.h"
#include "ops/attributes.h"

enum {
    MAX_DIM = 65536,   /* of a tensor */
    MAX_SCALE = 16,    /* of the metadata, */
    MAX_HALVINGS = 12, /* which know multiples up to 4096 */
    TAPS = 9,          /* of a 3 x 3 kernel */
    CENTRE = 4,        /* the tap in the middle */
};

/* What trainers put before all names. The moving averages (ema) count in a file
 * that holds its weights twice. */
static const char *const prefixes[] = {"params_ema.", "params.", "model.",
                                       "module."};

typedef struct {
    AeNet net;
    const AeSafetensors *file;
    GHashTable *tensors; /* name without prefixes -> AeTensor, borrowed */
    GHashTable *used;    /* the names that the network has asked for */
    GStringChunk *chunk; /* owns what at() returns */
    AeMetadata metadata;
    GError *error; /* the first; what is built after it means nothing */
} Import;

/* A value of the network, and its channels. */
typedef struct {
    int value;
    int64_t channels;
} Image;

typedef struct {
    const AeTensor *weight, *bias;
} Weights;

typedef struct {
    int kernel, stride;
    gboolean bias;
} Layer;

static const Layer plain = {3, 1, TRUE}, point = {1, 1, TRUE};
static const Layer enlarged = {3, 1, FALSE}, halving = {3, 2, FALSE};

G_GNUC_PRINTF(2, 3)
static void fail(Import *im, const char *format, ...)
{
    va_list args;

    if (im->error != NULL)
        return;
    va_start(args, format);
    im->error = g_error_new_valist(AE_ERROR, AE_ERROR_FORMAT, format, args);
    va_end(args);
}

/* The name of a layer or a tensor, which lives as long as the import. */
G_GNUC_PRINTF(2, 3)
static const char *at(Import *im, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    return g_string_chunk_insert(im->chunk, text);
}

static const char *without_prefixes(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes);)
        if (g_str_has_prefix(name, prefixes[i])) {
            name += strlen(prefixes[i]);
            i = 0;
        } else
            i++;
    return name;
}

static void list_tensors(Import *im)
{
    for (guint i = 0; i < im->file->names->len; i++) {
        const char *name = g_ptr_array_index(im->file->names, i);
        const char *rest = without_prefixes(name);

        if (g_str_has_prefix(name, prefixes[0]) ||
            !g_hash_table_contains(im->tensors, rest))
            g_hash_table_insert(im->tensors, (void *)rest,
                                g_ptr_array_index(im->file->tensors, i));
    }
}

static gboolean has(const Import *im, const char *name)
{
    return g_hash_table_contains(im->tensors, name);
}

/* Tensor @name, which then counts as part of the network; NULL: there is none.
 */
static const AeTensor *use(Import *im, const char *name)
{
    g_hash_table_add(im->used, (void *)name);
    return g_hash_table_lookup(im->tensors, name);
}

static gboolean fits(const AeShape *shape, const AeShape *wanted)
{
    gboolean good = shape->rank == wanted->rank;

    for (int i = 0; good && i < shape->rank; i++)
        good =
            shape->dim[i] >= 1 && shape->dim[i] <= MAX_DIM &&
            (wanted->dim[i] == AE_UNKNOWN || shape->dim[i] == wanted->dim[i]);
    return good;
}

/* A tensor of the network; NULL after an error. */
static const AeTensor *need(Import *im, const char *name, AeShape wanted)
{
    const AeTensor *tensor = use(im, name);
    g_autofree char *expected = ae_shape_to_string(&wanted);

    if (tensor == NULL)
        fail(im, "tensor '%s' (%s) is missing", name, expected);
    else if (!fits(&tensor->shape, &wanted)) {
        g_autofree char *shape = ae_shape_to_string(&tensor->shape);

        fail(im, "tensor '%s' is %s, where %s was expected", name, shape,
             expected);
    }
    return im->error == NULL ? tensor : NULL;
}

/* The weights of a convolution of @channels; means nothing after an error. */
static Weights weights(Import *im, const char *name, int64_t channels,
                       Layer layer)
{
    const int k = layer.kernel;
    Weights w = {.weight = need(im, at(im, "%s.weight", name),
                                ae_shape(4, AE_UNKNOWN, channels, k, k))};

    if (layer.bias && w.weight != NULL)
        w.bias = need(im, at(im, "%s.bias", name),
                      ae_shape(1, w.weight->shape.dim[0]));
    return w;
}

static AeTensor *new_tensor(Import *im, AeShape shape)
{
    return im->error == NULL ? ae_tensor_new(&shape, &im->error) : NULL;
}

/* Takes ownership of @tensor; -1 after an error. */
static int constant(Import *im, const char *name, AeTensor *tensor,
                    gboolean trainable)
{
    if (im->error == NULL)
        return ae_model_add_constant(im->net.model, name, tensor, trainable,
                                     &im->error);
    ae_tensor_free(tensor);
    return -1;
}

/* A constant of @n numbers: one for all elements, or one a channel. */
static int numbers(Import *im, const char *name, const float *values, int64_t n,
                   gboolean trainable)
{
    int value = ae_model_find(im->net.model, name);
    AeTensor *tensor;

    if (value >= 0)
        return value;
    tensor = new_tensor(im, ae_shape(3, n, 1, 1));
    if (tensor != NULL)
        memcpy(tensor->data, values, (size_t)n * sizeof *values);
    return constant(im, name, tensor, trainable);
}

/* Appends a node of one or two inputs (@b -1: one), where @a is an image. */
static Image node(Import *im, const char *op, Image a, int b)
{
    if (im->error == NULL)
        ae_net_append(&im->net, op, (int[]){a.value, b}, b < 0 ? 1 : 2,
                      &a.value);
    return a;
}

static Image add(Import *im, Image a, Image b)
{
    if (a.channels != b.channels)
        fail(im,
             "images of %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
             " channels are to be added",
             a.channels, b.channels);
    return node(im, "Add", a, b.value);
}

static Image relu(Import *im, Image x)
{
    return node(im, "Relu", x, -1);
}

/* Takes ownership of @weight and @bias. */
static Image append_conv(Import *im, const char *name, Image x, Layer layer,
                         AeTensor *weight, AeTensor *bias)
{
    const int64_t k = layer.kernel, pad = k / 2, stride = layer.stride;
    const int64_t channels = weight != NULL ? weight->shape.dim[0] : 0;
    int w = constant(im, at(im, "%s.weight", name), weight, TRUE), b = -1;

    if (bias != NULL)
        b = constant(im, at(im, "%s.bias", name), bias, TRUE);
    if (im->error != NULL)
        return x;
    AeNode *conv = ae_net_append(&im->net, "Conv", (int[]){x.value, w, b},
                                 b < 0 ? 2 : 3, &x.value);
    ae_node_set_ints(conv, "kernel_shape", (int64_t[]){k, k}, 2);
    ae_node_set_ints(conv, "strides", (int64_t[]){stride, stride}, 2);
    ae_node_set_ints(conv, "pads", (int64_t[]){pad, pad, pad, pad}, 4);
    return (Image){x.value, channels};
}

static AeTensor *copy(Import *im, const AeTensor *tensor)
{
    return tensor != NULL && im->error == NULL
               ? ae_tensor_copy(tensor, &im->error)
               : NULL;
}

static Image conv(Import *im, const char *name, Image x, Layer layer)
{
    Weights w = weights(im, name, x.channels, layer);

    return append_conv(im, name, x, layer, copy(im, w.weight),
                       copy(im, w.bias));
}

/* The image of @channels whose pixels the channels of @x are. */
static Image shuffle(Import *im, Image x, int64_t channels)
{
    int scale = 1;

    while (scale < MAX_SCALE && scale * scale * channels < x.channels)
        scale++;
    if (scale * scale * channels != x.channels)
        fail(im,
             "its last convolution makes %" G_GINT64_FORMAT
             " channels, which is not %" G_GINT64_FORMAT
             " times the square of a scale up to %d",
             x.channels, channels, MAX_SCALE);
    im->metadata.scale = scale;
    if (im->error == NULL && scale > 1)
        x.value = ae_net_pixel_shuffle(&im->net, x.value, scale);
    return (Image){x.value, channels};
}

/* The highest number N of the names that begin with @front and N. */
static int highest(const Import *im, const char *front)
{
    GHashTableIter iter;
    void *name;
    long most = 0;

    g_hash_table_iter_init(&iter, im->tensors);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (g_str_has_prefix(name, front))
            most =
                MAX(most, strtol((const char *)name + strlen(front), NULL, 10));
    return (int)MIN(most, G_MAXINT - 2);
}

static Image prelu(Import *im, const char *name, Image x)
{
    const AeTensor *slopes;

    if (!has(im, name))
        fail(im,
             "tensor '%s' (%" G_GINT64_FORMAT
             ") is missing: without slopes of PReLU the activation may be ReLU "
             "or LeakyReLU, and the file does not tell which",
             name, x.channels);
    slopes = need(im, name, ae_shape(1, x.channels));
    return slopes == NULL
               ? x
               : node(im, "PRelu", x,
                      numbers(im, name, slopes->data, x.channels, TRUE));
}

static Image srvgg(Import *im, Image image)
{
    const int last = highest(im, "body.");
    Image x = image;

    for (int i = 0; i < last && im->error == NULL; i += 2) {
        x = conv(im, at(im, "body.%d", i), x, plain);
        x = prelu(im, at(im, "body.%d.weight", i + 1), x);
    }
    x = conv(im, at(im, "body.%d", last), x, plain);
    x = shuffle(im, x, image.channels);
    if (im->error == NULL && im->metadata.scale > 1)
        image.value = ae_net_enlarge(&im->net, image.value, im->metadata.scale);
    return add(im, x, image);
}

/* Adds the bias of three convolutions in a row: W3 (W2 b1 + b2) + b3, with
 * weights W and biases b. */
static void merge_biases(float *out, const Weights *w)
{
    const float *w2 = w[1].weight->data, *w3 = w[2].weight->data;
    const int64_t n_a = w[1].weight->shape.dim[1];
    const int64_t n_b = w[2].weight->shape.dim[1];
    const int64_t n_c = w[2].weight->shape.dim[0];

    for (int64_t k = 0; k < n_c; k++)
        out[k] += w[2].bias->data[k];
    for (int64_t i = 0; i < n_b; i++) {
        double sum = w[1].bias->data[i];

        for (int64_t j = 0; j < TAPS * n_a; j++)
            sum += (double)w2[i * TAPS * n_a + j] * w[0].bias->data[j % n_a];
        for (int64_t k = 0; k < n_c; k++)
            out[k] += (float)(w3[k * n_b + i] * sum);
    }
}

/* The product of the weights of convolutions of 1 x 1, 3 x 3 and 1 x 1 in a
 * row. Weights lie as outputs, taps, inputs. */
static gboolean merge_weights(float *out, const Weights *w, GError **error)
{
    const int n = (int)w[0].weight->shape.dim[1];
    const int n_a = (int)w[1].weight->shape.dim[1];
    const int n_b = (int)w[2].weight->shape.dim[1];
    const int n_c = (int)w[2].weight->shape.dim[0];
    ae_autofree float *ba =
        ae_alloc((size_t)n_b * TAPS, (size_t)n * sizeof(float), error);

    if (ba == NULL)
        return FALSE;
    ae_gemm(FALSE, FALSE, n_b * TAPS, n, n_a, 1, w[1].weight->data, n_a,
            w[0].weight->data, n, 0, ba, n);
    ae_gemm(FALSE, FALSE, n_c, n * TAPS, n_b, 1, w[2].weight->data, n_b, ba,
            n * TAPS, 0, out, n * TAPS);
    return TRUE;
}

/* Adds a convolution of 1 x 1 to one of 3 x 3. */
static void merge_skip(AeTensor *weight, AeTensor *bias, Weights skip)
{
    const int64_t n = weight->shape.dim[1];

    for (int64_t k = 0; k < weight->shape.dim[0]; k++) {
        for (int64_t i = 0; i < n; i++)
            weight->data[(k * TAPS + CENTRE) * n + i] +=
                skip.weight->data[k * n + i];
        bias->data[k] += skip.bias->data[k];
    }
}

/* SPAN's Conv3XC: three convolutions in a row and one beside them, merged to
 * one of 3 x 3. Its bias holds at the border, too, because the row pads the
 * image at its front. Files made for inference have eval_conv alone; beside the
 * others it may be out of date. */
static Image conv3xc(Import *im, const char *name, Image x)
{
    static const char *const parts[] = {"conv.0", "conv.1", "conv.2", "sk"};
    const Layer layers[] = {point, plain, point, point};
    int64_t channels = x.channels;
    Weights w[4];

    if (!has(im, at(im, "%s.sk.weight", name)))
        return conv(im, at(im, "%s.eval_conv", name), x, plain);
    for (int i = 0; i < 4; i++) {
        w[i] = weights(im, at(im, "%s.%s", name, parts[i]),
                       i == 3 ? x.channels : channels, layers[i]);
        if (im->error != NULL)
            return x;
        channels = w[i].weight->shape.dim[0];
    }
    if (channels != w[2].weight->shape.dim[0])
        fail(im, "'%s.sk' and '%s.conv.2' make different numbers of channels",
             name, name);
    AeTensor *weight = new_tensor(im, ae_shape(4, channels, x.channels, 3, 3));
    AeTensor *bias = new_tensor(im, ae_shape(1, channels));
    if (im->error == NULL && merge_weights(weight->data, w, &im->error)) {
        merge_biases(bias->data, w);
        merge_skip(weight, bias, w[3]);
    }
    use(im, at(im, "%s.eval_conv.weight", name));
    use(im, at(im, "%s.eval_conv.bias", name));
    return append_conv(im, name, x, plain, weight, bias);
}

/* x sigmoid(x) */
static Image silu(Import *im, Image x)
{
    return node(im, "Mul", x, node(im, "Sigmoid", x, -1).value);
}

/* Block @i of SPAN. @inner becomes the image behind its first activation. */
static Image spab(Import *im, int i, Image x, Image *inner)
{
    int half = numbers(im, "half", (float[]){0.5f}, 1, FALSE);
    Image y, attention;

    *inner = silu(im, conv3xc(im, at(im, "block_%d.c1_r", i), x));
    y = silu(im, conv3xc(im, at(im, "block_%d.c2_r", i), *inner));
    y = conv3xc(im, at(im, "block_%d.c3_r", i), y);
    attention = node(im, "Sub", node(im, "Sigmoid", y, -1), half);
    return node(im, "Mul", add(im, y, x), attention.value);
}

/* The mean and the range are those of the authors' code: files do not hold
 * them. The tensor no_norm says that a network does without. */
static Image normalise(Import *im, Image x)
{
    static const float mean[] = {0.4488f, 0.4371f, 0.4040f}, range = 255;

    if (use(im, "no_norm") != NULL)
        return x;
    if (x.channels != G_N_ELEMENTS(mean))
        fail(im, "it takes images of %" G_GINT64_FORMAT " channels, not of 3",
             x.channels);
    x = node(im, "Sub", x, numbers(im, "mean", mean, 3, FALSE));
    return node(im, "Mul", x, numbers(im, "range", &range, 1, FALSE));
}

static Image span(Import *im, Image image)
{
    const int blocks = highest(im, "block_");
    Image first = conv3xc(im, "conv_1", normalise(im, image));
    Image x = first, early = first, inner = first;

    for (int i = 1; i <= blocks && im->error == NULL; i++) {
        x = spab(im, i, x, &inner);
        if (i == 1)
            early = x;
    }
    x = conv3xc(im, "conv_2", x);
    if (im->error == NULL)
        ae_node_set_int(ae_net_append(&im->net, "Concat",
                                      (int[]){first.value, x.value, early.value,
                                              inner.value},
                                      4, &x.value),
                        "axis", 1);
    x.channels += first.channels + early.channels + inner.channels;
    x = conv(im, "upsampler.0", conv(im, "conv_cat", x, point), plain);
    return shuffle(im, x, image.channels);
}

/* Whether layer @name of TAESD is a residual block. */
static gboolean is_block(Import *im, const char *name)
{
    return has(im, at(im, "%s.conv.0.weight", name));
}

static Image block(Import *im, const char *name, Image x)
{
    Image y = relu(im, conv(im, at(im, "%s.conv.0", name), x, plain));

    y = relu(im, conv(im, at(im, "%s.conv.2", name), y, plain));
    y = conv(im, at(im, "%s.conv.4", name), y, plain);
    return relu(im, add(im, y, x));
}

static Image encode(Import *im, const char *front, Image x)
{
    const int last = highest(im, front);
    int halvings = 0;

    x = conv(im, at(im, "%s0", front), x, plain);
    for (int i = 1; i < last && im->error == NULL; i++) {
        const char *layer = at(im, "%s%d", front, i);
        const gboolean keeps_size = is_block(im, layer);

        x = keeps_size ? block(im, layer, x) : conv(im, layer, x, halving);
        halvings += !keeps_size;
    }
    im->metadata.multiple = 1 << MIN(halvings, MAX_HALVINGS);
    return conv(im, at(im, "%s%d", front, last), x, plain);
}

/* @first: the number of the first convolution. An activation is behind it.
 * Where the image is enlarged, a number is without weights. */
static Image decode(Import *im, const char *front, int first, Image x)
{
    const int last = highest(im, front);
    const int bound = numbers(im, "bound", (float[]){3}, 1, FALSE);

    x = node(im, "Tanh", node(im, "Div", x, bound), -1);
    x = conv(im, at(im, "%s%d", front, first), node(im, "Mul", x, bound),
             plain);
    x = relu(im, x);
    for (int i = first + 2; i < last && im->error == NULL; i++) {
        const char *layer = at(im, "%s%d", front, i);

        if (is_block(im, layer)) {
            x = block(im, layer, x);
            continue;
        }
        x.value = ae_net_up(&im->net, x.value);
        x = conv(im, at(im, "%s%d", front, ++i), x, enlarged);
    }
    return conv(im, at(im, "%s%d", front, last), x, plain);
}

/* What the names of TAESD's halves begin with, @first being the number of the
 * first convolution: in diffusers' files, in those of both halves, in those of
 * one. The original counts the decoder's clamp, too. NULL: there is none. */
static const char *encoder_front(Import *im)
{
    static const char *const fronts[] = {"encoder.layers.", "encoder.", ""};

    for (size_t i = 0; i < G_N_ELEMENTS(fronts); i++)
        if (has(im, at(im, "%s0.weight", fronts[i])) &&
            is_block(im, at(im, "%s1", fronts[i])))
            return fronts[i];
    return NULL;
}

static const char *decoder_front(Import *im, int *first)
{
    static const char *const fronts[] = {"decoder.layers.", "decoder.", ""};

    for (size_t i = 0; i < G_N_ELEMENTS(fronts); i++)
        for (*first = 0; *first < 2; ++*first)
            if (has(im, at(im, "%s%d.weight", fronts[i], *first)) &&
                !is_block(im, at(im, "%s%d", fronts[i], *first + 1)) &&
                is_block(im, at(im, "%s%d", fronts[i], *first + 2)))
                return fronts[i];
    return NULL;
}

static void declare(Import *im, Image x)
{
    AeValue *value;

    if (im->error != NULL)
        return;
    value = ae_model_value(im->net.model, x.value);
    value->has_shape = TRUE;
    value->shape = ae_shape(4, AE_UNKNOWN, x.channels, AE_UNKNOWN, AE_UNKNOWN);
}

/* The input of the network whose first weights are tensor @weight. */
static Image add_input(Import *im, const char *name, const char *weight)
{
    const AeTensor *tensor =
        need(im, weight,
             ae_shape(4, AE_UNKNOWN, AE_UNKNOWN, AE_UNKNOWN, AE_UNKNOWN));
    Image x = {ae_model_add_input(im->net.model, name, NULL, NULL),
               tensor != NULL ? tensor->shape.dim[1] : 0};

    declare(im, x);
    return x;
}

static void add_output(Import *im, Image x)
{
    declare(im, x);
    if (im->error == NULL)
        ae_model_add_output(im->net.model, x.value);
}

/* A network that makes images of images. Files do not tell what those are for
 * that keep the size. */
static void add_filter(Import *im, const char *weight,
                       Image (*build)(Import *im, Image image))
{
    add_output(im, build(im, add_input(im, "image", weight)));
    if (im->metadata.scale > 1)
        im->metadata.task = AE_TASK_SUPERRES;
    else
        im->metadata.scale = 0;
}

/* Functions that build a network return FALSE if the file is of another. */
static gboolean build_srvgg(Import *im)
{
    const char *weight = "body.0.weight";

    if (!has(im, weight))
        return FALSE;
    add_filter(im, weight, srvgg);
    return TRUE;
}

static gboolean build_span(Import *im)
{
    const char *trained = "conv_1.sk.weight";
    const char *merged = "conv_1.eval_conv.weight";

    if (!has(im, "block_1.c1_r.sk.weight") &&
        !has(im, "block_1.c1_r.eval_conv.weight"))
        return FALSE;
    add_filter(im, has(im, trained) ? trained : merged, span);
    return TRUE;
}

static gboolean build_taesd(Import *im)
{
    int first;
    const char *encoder = encoder_front(im);
    const char *decoder = decoder_front(im, &first);
    Image x;

    if (encoder == NULL && decoder == NULL)
        return FALSE;
    if (encoder != NULL)
        x = encode(im, encoder,
                   add_input(im, "image", at(im, "%s0.weight", encoder)));
    else
        x = add_input(im, "latent", at(im, "%s%d.weight", decoder, first));
    declare(im, x);
    if (im->error == NULL)
        ae_net_code(&im->net, x.value);
    add_output(im, decoder != NULL ? decode(im, decoder, first, x) : x);
    im->metadata.task = AE_TASK_AUTOENCODE;
    return TRUE;
}

static const struct {
    const char *name;
    gboolean (*build)(Import *im);
} architectures[] = {
    {"SRVGGNetCompact", build_srvgg},
    {"SPAN", build_span},
    {"TAESD", build_taesd},
};

/* A network with more tensors would compute something else. */
static void check_unused(Import *im)
{
    for (guint i = 0; i < im->file->names->len; i++) {
        const char *name = g_ptr_array_index(im->file->names, i);

        if (!g_hash_table_contains(im->used, without_prefixes(name)))
            fail(im, "tensor '%s' is no part of it", name);
    }
}

static void build(Import *im)
{
    const GPtrArray *names = im->file->names;

    list_tensors(im);
    for (size_t i = 0; i < G_N_ELEMENTS(architectures); i++) {
        if (!architectures[i].build(im))
            continue;
        check_unused(im);
        g_prefix_error(&im->error, "%s: ", architectures[i].name);
        im->metadata.architecture = architectures[i].name;
        im->metadata.range = (AeRange){0, 1};
        ae_metadata_write(im->net.model, &im->metadata);
        return;
    }
    im->error = g_error_new(
        AE_ERROR, AE_ERROR_UNSUPPORTED,
        "its tensors (%u, the first is '%s') are of no architecture that is "
        "known: SRVGGNetCompact, SPAN, TAESD",
        names->len,
        names->len > 0 ? (char *)g_ptr_array_index(names, 0) : "missing");
}

AeModel *ae_import(const AeSafetensors *file, GError **error)
{
    g_autoptr(GHashTable) tensors = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) used = g_hash_table_new(g_str_hash, g_str_equal);
    GStringChunk *chunk = g_string_chunk_new(4096);
    Import im = {.net = {.model = ae_model_new(17), .label = -1},
                 .file = file,
                 .tensors = tensors,
                 .used = used,
                 .chunk = chunk};

    build(&im);
    g_string_chunk_free(chunk);
    if (im.error == NULL)
        return ae_net_finish(&im.net, error);
    g_clear_error(&im.net.error);
    ae_model_unref(im.net.model);
    g_propagate_error(error, im.error);
    return NULL;
}
