/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The networks. docs/user/models.md, "Architectures", explains S1, K1 and so
 * on. */
#include "networks/architectures.h"

#include <string.h>

#include "base/error.h"
#include "networks/builder.h"
#include "plan/plan.h"
#include "model/metadata.h"
#include "model/build.h"

#define SIDE 28       /* of the lesson's images */
#define MAX_SIZE 8192 /* of an option: more is a mistake */

/* Abilities of a network: the options that it has. */
enum {
    ANY_SIZE = 1,  /* images of any size; otherwise SIDE x SIDE */
    DENSE = 2,     /* options width and height */
    LATENT = 4,    /* option latent_size */
    HIDDEN = 8,    /* option hidden_size */
    LABELS = 16,   /* option classes */
    SAMPLING = 32, /* it is variational */
    FORMS = 64,    /* option form */
    SCALE = 128,   /* option scale */
    VIDEO = 256,   /* it also takes the six channels of 4:2:0 video */
};

static int pixels(const AeNet *net)
{
    return net->options.channels * net->options.width * net->options.height;
}

static int conv_relu(AeNet *net, int x, int ci, int co)
{
    return ae_net_relu(net, ae_net_conv(net, x, ci, co, 3));
}

static int dense_relu(AeNet *net, int x, int n_in, int n_out)
{
    return ae_net_relu(net, ae_net_dense(net, x, n_in, n_out));
}

/* The image that a dense layer makes of the last hidden layer. */
static int dense_image(AeNet *net, int x, int n_in)
{
    x = ae_net_sigmoid(net, ae_net_dense(net, x, n_in, pixels(net)));
    return ae_net_unflatten(net, x, net->options.channels, net->options.height,
                            net->options.width);
}

/* The image as a row of numbers with its label behind it; *n: their number. */
static int dense_input(AeNet *net, int x, int *n)
{
    *n = pixels(net) + net->options.classes;
    return ae_net_with_label(net, ae_net_flatten(net, x));
}

static int code_input(AeNet *net, int z, int *n)
{
    *n = net->options.latent_size + net->options.classes;
    return ae_net_with_label(net, z);
}

static int keras_decoder(AeNet *net, int x)
{
    x = ae_net_up(net, conv_relu(net, x, 8, 8));
    x = ae_net_up(net, conv_relu(net, x, 8, 8));
    x = ae_net_relu(net, ae_net_conv_valid(net, x, 8, 16, 3));
    x = ae_net_up(net, x);
    return ae_net_sigmoid(net,
                          ae_net_conv(net, x, 16, net->options.channels, 3));
}

static int keras(AeNet *net, int x)
{
    x = ae_net_pool(net, conv_relu(net, x, net->options.channels, 16));
    x = ae_net_pool(net, conv_relu(net, x, 16, 8));
    x = ae_net_pool(net, conv_relu(net, x, 8, 8));
    return keras_decoder(net, ae_net_code(net, x));
}

static int keras_superres(AeNet *net, int x)
{
    x = ae_net_pool(net, conv_relu(net, x, net->options.channels, 16));
    x = ae_net_pool(net, conv_relu(net, x, 16, 8));
    return keras_decoder(net, ae_net_code(net, x));
}

static int keras_denoise(AeNet *net, int x)
{
    int c = net->options.channels;

    x = ae_net_pool(net, conv_relu(net, x, c, 32));
    x = ae_net_code(net, ae_net_pool(net, conv_relu(net, x, 32, 32)));
    x = ae_net_up(net, conv_relu(net, x, 32, 32));
    x = ae_net_up(net, conv_relu(net, x, 32, 32));
    ae_metadata_write(net->model, &(AeMetadata){.multiple = 4});
    return ae_net_sigmoid(net, ae_net_conv(net, x, 32, c, 3));
}

static int shallow(AeNet *net, int x)
{
    int n, k = net->options.latent_size;

    x = dense_input(net, x, &n);
    x = ae_net_code(net, dense_relu(net, x, n, k));
    x = code_input(net, x, &n);
    return dense_image(net, x, n);
}

static int linear(AeNet *net, int x)
{
    int n = pixels(net), k = net->options.latent_size;

    x = ae_net_dense(net, ae_net_flatten(net, x), n, k);
    x = ae_net_dense(net, ae_net_code(net, x), k, n);
    return ae_net_unflatten(net, x, net->options.channels, net->options.height,
                            net->options.width);
}

static int deep(AeNet *net, int x)
{
    int n, k = net->options.latent_size;

    x = dense_input(net, x, &n);
    x = dense_relu(net, dense_relu(net, x, n, 128), 128, 64);
    x = ae_net_code(net, dense_relu(net, x, 64, k));
    x = code_input(net, x, &n);
    x = dense_relu(net, dense_relu(net, x, n, 64), 64, 128);
    return dense_image(net, x, 128);
}

static int dense(AeNet *net, int x)
{
    int n, h = net->options.hidden_size;

    x = dense_input(net, x, &n);
    x = dense_relu(net, x, n, h);
    x = ae_net_code(net, ae_net_dense(net, x, h, net->options.latent_size));
    x = code_input(net, x, &n);
    return dense_image(net, dense_relu(net, x, n, h), h);
}

static int vae(AeNet *net, int x)
{
    int n, h = net->options.hidden_size;

    x = dense_input(net, x, &n);
    x = ae_net_sampled_code(net, dense_relu(net, x, n, h), h);
    x = code_input(net, x, &n);
    return dense_image(net, dense_relu(net, x, n, h), h);
}

/* Three hidden layers in encoder and decoder. */
static int adversarial(AeNet *net, int x)
{
    int n, h = net->options.hidden_size;

    x = dense_input(net, x, &n);
    x = dense_relu(net, x, n, h);
    x = dense_relu(net, dense_relu(net, x, h, h), h, h);
    x = ae_net_code(net, ae_net_dense(net, x, h, net->options.latent_size));
    x = code_input(net, x, &n);
    x = dense_relu(net, dense_relu(net, x, n, h), h, h);
    return dense_image(net, dense_relu(net, x, h, h), h);
}

/* Two convolutions, each followed by pooling, and a dense layer. */
static int conv_encoder(AeNet *net, int x)
{
    int n = 32 * (SIDE / 4) * (SIDE / 4) + net->options.classes;

    x = ae_net_pool(net, conv_relu(net, x, net->options.channels, 16));
    x = ae_net_pool(net, conv_relu(net, x, 16, 32));
    x = ae_net_with_label(net, ae_net_flatten(net, x));
    return dense_relu(net, x, n, net->options.hidden_size);
}

static int conv_decoder(AeNet *net, int z)
{
    int n, h = net->options.hidden_size, c = net->options.channels;
    int x = code_input(net, z, &n);

    x = dense_relu(net, x, n, h);
    x = dense_relu(net, x, h, 32 * (SIDE / 4) * (SIDE / 4));
    x = ae_net_up(net, ae_net_unflatten(net, x, 32, SIDE / 4, SIDE / 4));
    x = ae_net_up(net, conv_relu(net, x, 32, 16));
    return ae_net_sigmoid(net, ae_net_conv(net, x, 16, c, 3));
}

static int conv_dense(AeNet *net, int x)
{
    int h = net->options.hidden_size;

    x = ae_net_dense(net, conv_encoder(net, x), h, net->options.latent_size);
    return conv_decoder(net, ae_net_code(net, x));
}

static int conv_vae(AeNet *net, int x)
{
    x = conv_encoder(net, x);
    return conv_decoder(net,
                        ae_net_sampled_code(net, x, net->options.hidden_size));
}

static int kvfrans(AeNet *net, int x)
{
    int n = 32 * (SIDE / 4) * (SIDE / 4), k = net->options.latent_size;

    x = ae_net_conv_half(net, x, net->options.channels, 16, 5);
    x = ae_net_leaky_relu(net, x, 0.2f);
    x = ae_net_conv_half(net, x, 16, 32, 5);
    x = ae_net_flatten(net, ae_net_leaky_relu(net, x, 0.2f));
    x = dense_relu(net, ae_net_sampled_code_sd(net, x, n), k, n);
    x = ae_net_unflatten(net, x, 32, SIDE / 4, SIDE / 4);
    x = ae_net_relu(net, ae_net_conv_up(net, x, 32, 16, 5, FALSE));
    x = ae_net_conv_up(net, x, 16, net->options.channels, 5, FALSE);
    return ae_net_sigmoid(net, x);
}

/* One LSTM reads the rows of the image; another writes rows from the code. */
static int lstm(AeNet *net, int x)
{
    const AeArchitectureOptions *o = &net->options;
    int n = o->channels * o->width, k = o->latent_size, h = o->hidden_size;

    x = ae_net_lstm_last(net, ae_net_image_steps(net, x), n, k);
    x = ae_net_repeat(net, ae_net_code(net, x), o->height);
    x = ae_net_lstm_rows(net, x, k, h);
    x = ae_net_sigmoid(net, ae_net_dense(net, x, h, n));
    return ae_net_steps_image(net, x);
}

/* The slope keeps units of narrow networks alive. With ReLU half of unet-s's
 * units died, or were always on, in the first large steps of training. */
static int leaky(AeNet *net, int x)
{
    return ae_net_leaky_relu(net, x, 0.1f);
}

static int conv_leaky(AeNet *net, int x, int ci, int co)
{
    return leaky(net, ae_net_conv(net, x, ci, co, 3));
}

static int block_plain(AeNet *net, int x, int c)
{
    return conv_leaky(net, conv_leaky(net, x, c, c), c, c);
}

/* A residual block, with which deeper networks learn faster (He et al., CVPR
 * 2016). */
static int block_add(AeNet *net, int x, int c)
{
    int y = ae_net_conv(net, conv_leaky(net, x, c, c), c, c, 3);

    return ae_net_add(net, y, x);
}

static int half_leaky(AeNet *net, int x, int ci, int co)
{
    return leaky(net, ae_net_conv_half(net, x, ci, co, 2));
}

/* Doubles the size of @x and adds the skip connection @skip. */
static int up_add(AeNet *net, int x, int ci, int co, int skip)
{
    return ae_net_add(net, ae_net_conv_up(net, x, ci, co, 2, TRUE), skip);
}

/* A block of convolutions that keeps size and channels. */
typedef int (*Block)(AeNet *net, int x, int channels);

static int repeat(AeNet *net, int x, int channels, int n, Block block)
{
    for (int i = 0; i < n; i++)
        x = block(net, x, channels);
    return x;
}

/* A U-Net with levels of @a, @b and @c channels at 1/2, 1/4 and 1/8 of the
 * video's size. The six channels of 4:2:0 video have half of that size already.
 * Each level has one block on the way down and one up; the first level has @n.
 */
static int unet(AeNet *net, int image, int a, int n, int b, int c, Block block)
{
    int k = net->options.channels;
    gboolean half = k == AE_YUV420_CHANNELS;
    int e0 = repeat(
        net, half ? conv_leaky(net, image, k, a) : half_leaky(net, image, k, a),
        a, n, block);
    int e1 = block(net, half_leaky(net, e0, a, b), b);
    int x = block(net, half_leaky(net, e1, b, c), c);

    x = block(net, up_add(net, x, c, b, e1), b);
    x = repeat(net, up_add(net, x, b, a, e0), a, n, block);
    x = half ? ae_net_conv(net, x, a, k, 3)
             : ae_net_pixel_shuffle(net, ae_net_conv(net, x, a, 4 * k, 3), 2);
    ae_metadata_write(net->model, &(AeMetadata){.multiple = half ? 4 : 8,
                                                .luma_chroma = k == 1});
    return ae_net_subtract(net, image, x);
}

static int unet_s(AeNet *net, int x)
{
    return unet(net, x, 16, 1, 32, 64, block_plain);
}

static int unet_xs(AeNet *net, int x)
{
    return unet(net, x, 8, 1, 16, 32, block_plain);
}

static int unet_l(AeNet *net, int x)
{
    return unet(net, x, 48, 2, 64, 128, block_add);
}

/* Adds a correction to the image enlarged by nearest neighbour. Residual
 * @blocks of
 * @n channels at the image's size compute it, and a pixel shuffle deals its
 * channels out to the pixels of the enlarged image (Shi et al., CVPR 2016). */
static int superres(AeNet *net, int image, int n, int blocks)
{
    int scale = net->options.scale, c = net->options.channels;
    int x = conv_leaky(net, image, c, n);

    for (int i = 0; i < blocks; i++)
        x = leaky(net, block_add(net, x, n));
    x = ae_net_conv(net, x, n, c * scale * scale, 3);
    return ae_net_add(net, ae_net_pixel_shuffle(net, x, scale),
                      ae_net_enlarge(net, image, scale));
}

/* The larger the scale, the smaller the image for a result of one size: more
 * blocks keep the work for each pixel of the result about equal. */
static int superres_s(AeNet *net, int x)
{
    return superres(net, x, 16, net->options.scale - 1);
}

static int superres_l(AeNet *net, int x)
{
    return superres(net, x, 24, 3 * MAX(net->options.scale - 1, 2));
}

static int nearest(AeNet *net, int x)
{
    return ae_net_enlarge(net, x, net->options.scale);
}

static int bilinear(AeNet *net, int x)
{
    return ae_net_interpolate(net, x, net->options.scale, "linear");
}

static int bicubic(AeNet *net, int x)
{
    return ae_net_interpolate(net, x, net->options.scale, "cubic");
}

typedef struct {
    const char *name;
    int (*build)(AeNet *net, int image);
    int abilities;
    int latent_size, hidden_size; /* defaults */
    int shrink;                   /* the input's sides are SIDE / shrink */
    const char *description;
} Architecture;

static const Architecture table[] = {
    {"keras", keras, 0, 0, 0, 1,
     "The convolutional autoencoder of the Keras blog and of the lesson (S1, "
     "S2, S7, S8, K4): 28 x 28, code 8 x 4 x 4, 4,385 weights on one channel"},
    {"keras-denoise", keras_denoise, ANY_SIZE, 0, 0, 1,
     "The Keras blog's convolutional denoiser (K5): code 32 x 7 x 7 for 28 x "
     "28, 28,353 weights"},
    {"keras-superres", keras_superres, 0, 0, 0, 2,
     "The lesson's super-resolution network (S3): 14 x 14 to 28 x 28 through a "
     "code of 8 x 4 x 4, 3,801 weights"},
    {"shallow", shallow, DENSE | LATENT | LABELS, 32, 0, 1,
     "One layer on either side (K1, K2, A1, A2): 784-32-784, 50,992 weights"},
    {"linear", linear, DENSE | LATENT, 32, 0, 1,
     "The same without activations, what principal components are (`ae pca`): "
     "784-32-784, 50,992 weights"},
    {"deep", deep, DENSE | LATENT | LABELS, 32, 0, 1,
     "The Keras blog's deep dense autoencoder (K3): "
     "784-128-64-32-64-128-784, 222,384 weights"},
    {"dense", dense, DENSE | LATENT | HIDDEN | LABELS, 2, 512, 1,
     "The layers of the lesson's variational autoencoder without its sampling: "
     "784-512-2-512-784, 806,674 weights"},
    {"vae", vae, DENSE | LATENT | HIDDEN | LABELS | SAMPLING | FORMS, 2, 512, 1,
     "The lesson's variational autoencoder (S4; hidden-size=256 or 64: K7; "
     "conditional: C1): 784-512-2-512-784, 807,700 weights"},
    {"adversarial", adversarial, DENSE | LATENT | HIDDEN | LABELS, 150, 1000, 1,
     "The lesson's adversarial autoencoder (S5): three layers of 1000 on "
     "either side of a code of 150, 5,874,934 weights"},
    {"conv-dense", conv_dense, LATENT | HIDDEN | LABELS, 2, 128, 1,
     "Convolutional with a dense code (S6): 28 x 28, 16 and 32 channels, a "
     "layer of 128 units, code 2"},
    {"conv-vae", conv_vae, LATENT | HIDDEN | LABELS | SAMPLING | FORMS, 2, 128,
     1, "The same as a variational autoencoder: the lesson's homework (S10)"},
    {"kvfrans", kvfrans, LATENT | SAMPLING, 20, 0, 1,
     "kvfrans' convolutional variational autoencoder (V1): 28 x 28, 5 x 5 "
     "kernels with stride 2, code 20, 122,136 weights"},
    {"lstm", lstm, DENSE | LATENT | HIDDEN, 64, 128, 1,
     "The Keras blog's sequence-to-sequence autoencoder (K6): an LSTM reads "
     "the "
     "28 rows, its last state of 64 values is the code, a second LSTM writes "
     "the rows"},
    {"unet-s", unet_s, ANY_SIZE | VIDEO, 0, 0, 1,
     "Residual U-Net with additive skips, 16, 32 and 64 channels at 1/2, 1/4 "
     "and 1/8 of the size, of gray, RGB or 4:2:0; 6.4 k multiply-adds a pixel"},
    {"unet-xs", unet_xs, ANY_SIZE | VIDEO, 0, 0, 1,
     "The same with 8, 16 and 32 channels; 1.6 k multiply-adds a pixel"},
    {"unet-l", unet_l, ANY_SIZE | VIDEO, 0, 0, 1,
     "The same with 48, 64 and 128 channels and residual blocks, twice as many "
     "of the first; 58.3 k multiply-adds a pixel"},
    {"superres-s", superres_s, ANY_SIZE | SCALE, 0, 0, 1,
     "Enlarges 2, 3 or 4 times (scale), residual, 16 channels, four, six or "
     "eight convolutions; 5,380 weights for scale 2"},
    {"superres-l", superres_l, ANY_SIZE | SCALE, 0, 0, 1,
     "The same with 24 channels, 14, 14 or 20 convolutions; 63,604 weights for "
     "scale 2"},
    {"nearest", nearest, ANY_SIZE | SCALE, 0, 0, 1,
     "Enlarges by repeating pixels; no weights: to compare with"},
    {"bilinear", bilinear, ANY_SIZE | SCALE, 0, 0, 1,
     "The same by bilinear interpolation"},
    {"bicubic", bicubic, ANY_SIZE | SCALE, 0, 0, 1,
     "The same by bicubic interpolation (Keys)"},
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

static const Architecture *find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

const char *ae_architecture_describe(const char *name)
{
    const Architecture *architecture = find(name);

    return architecture != NULL ? architecture->description : NULL;
}

static int option_or(int option, int fallback)
{
    return option > 0 ? option : fallback;
}

/* The options with all defaults filled in. */
static AeArchitectureOptions complete(const Architecture *a,
                                      const AeArchitectureOptions *options)
{
    AeArchitectureOptions o = *options;
    gboolean dense = (a->abilities & DENSE) != 0;

    o.channels = option_or(o.channels, 1);
    o.width = dense ? option_or(o.width, SIDE) : SIDE;
    o.height = dense ? option_or(o.height, SIDE) : SIDE;
    o.latent_size = option_or(o.latent_size, a->latent_size);
    o.hidden_size = option_or(o.hidden_size, a->hidden_size);
    o.scale = option_or(o.scale, a->abilities & SCALE ? 2 : a->shrink);
    if ((a->abilities & SAMPLING) && o.latent_noise == 0)
        o.latent_noise = 1;
    return o;
}

static void declare(AeModel *model, int number, const AeShape *shape)
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

/* Declares the shape of value @name, if the metadata have it, as a plan finds
 * it. FALSE: there is no memory for the plan. */
static gboolean declare_named(AeModel *model, AeMetadataName name,
                              GError **error)
{
    const AeValue *value = ae_metadata_value(model, name, NULL);
    AeShape shapes[2];
    AePlanOptions options = {.shapes = shapes,
                             .n_inputs = (int)model->inputs->len,
                             .n_outputs = 1,
                             .band_rows = -1};

    if (value == NULL)
        return TRUE;
    for (int i = 0; i < options.n_inputs; i++) {
        shapes[i] = ae_model_value(model, ae_model_input(model, i))->shape;
        shapes[i].dim[0] = 1;
    }
    options.outputs = (const char *[]){value->name};
    g_autoptr(AePlan) plan = ae_plan_new(model, &options, error);
    if (plan == NULL)
        return FALSE;
    AeShape shape = *ae_plan_output_shape(plan, 0);
    shape.dim[0] = AE_UNKNOWN;
    declare(model, ae_model_find(model, value->name), &shape);
    return TRUE;
}

static void add_label(AeNet *net)
{
    AeShape shape = ae_shape(2, AE_UNKNOWN, net->options.classes);
    AeMetadata metadata = {.names[AE_NAME_LABEL] = "label",
                           .classes = net->options.classes};

    net->label = ae_model_add_input(net->model, "label", &shape, NULL);
    declare(net->model, net->label, &shape);
    ae_metadata_write(net->model, &metadata);
}

/* Declares that unknown sides of the output are @scale times those of the
 * input. */
static void set_scale(AeModel *model, int output, int scale)
{
    char **names = ae_model_value(model, output)->dim_names;

    for (int i = 2; i < 4; i++) {
        if (names[i] == NULL)
            continue;
        g_free(names[i]);
        names[i] = g_strdup_printf("%d%c", scale, i == 2 ? 'H' : 'W');
    }
}

static AeModel *build(const Architecture *a,
                      const AeArchitectureOptions *options, GError **error)
{
    AeNet net = {.model = ae_model_new(17),
                 .options = complete(a, options),
                 .label = -1};
    const AeArchitectureOptions *o = &net.options;
    gboolean any = (a->abilities & ANY_SIZE) != 0;
    AeShape image =
        ae_shape(4, AE_UNKNOWN, o->channels, any ? AE_UNKNOWN : o->height,
                 any ? AE_UNKNOWN : o->width);
    AeShape input = image;

    if (!any) {
        input.dim[2] /= o->scale;
        input.dim[3] /= o->scale;
    }
    int x = ae_model_add_input(net.model, "image", &input, NULL);
    if (o->classes > 0)
        add_label(&net);
    int y = a->build(&net, x);
    g_autoptr(AeModel) model = ae_net_finish(&net, error);
    if (model == NULL)
        return NULL;
    declare(net.model, x, &input);
    declare(net.model, y, &image);
    ae_model_add_output(net.model, y);
    ae_metadata_write(net.model,
                      &(AeMetadata){.architecture = a->name,
                                    .scale = o->scale > 1 ? o->scale : 0});
    if (o->scale > 1)
        set_scale(net.model, y, o->scale);
    for (int name = AE_NAME_LATENT; !any && name <= AE_NAME_LOG_VARIANCE;
         name++)
        if (!declare_named(model, (AeMetadataName)name, error))
            return NULL;
    return g_steal_pointer(&model);
}

/* Why the network cannot have these options; NULL if it can. */
static const char *refusal(const Architecture *a,
                           const AeArchitectureOptions *o)
{
    if (o->channels == AE_YUV420_CHANNELS && !(a->abilities & VIDEO))
        return "does not take the six channels of 4:2:0 video";
    if (o->channels < 0 ||
        (o->channels > 4 && o->channels != AE_YUV420_CHANNELS))
        return "takes images of 1 to 4 channels";
    if (o->width > MAX_SIZE || o->height > MAX_SIZE ||
        o->latent_size > MAX_SIZE || o->hidden_size > MAX_SIZE ||
        o->classes > MAX_SIZE)
        return "takes sizes up to 8192";
    if (o->latent_size > 0 && !(a->abilities & LATENT))
        return "has a code of its own size";
    if (o->hidden_size > 0 && !(a->abilities & HIDDEN))
        return "has no hidden size to choose";
    if (o->classes > 0 && !(a->abilities & LABELS))
        return "has no conditional form";
    if (o->scale != 0 && (o->scale < 2 || o->scale > 4))
        return "takes scales of 2, 3 and 4";
    if (o->scale > 0 && o->scale != a->shrink && !(a->abilities & SCALE))
        return "does not enlarge by that scale";
    if (o->form != AE_VAE_LOG_VARIANCE && !(a->abilities & FORMS))
        return "has no variational form to choose";
    return NULL;
}

AeModel *ae_architecture_new(const char *name,
                             const AeArchitectureOptions *options,
                             GError **error)
{
    const Architecture *architecture = find(name);
    const char *refused;

    if (architecture == NULL) {
        g_autofree char *names =
            g_strjoinv(", ", (char **)ae_architecture_names());
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "no architecture is called '%s'; there are %s", name,
                    names);
        return NULL;
    }
    refused = refusal(architecture, options);
    if (refused != NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE, "architecture '%s' %s",
                    name, refused);
        return NULL;
    }
    return build(architecture, options, error);
}

AeModel *ae_architecture_discriminator(int size, uint64_t seed, GError **error)
{
    enum { UNITS = 500, LAYERS = 4 };
    AeNet net = {
        .model = ae_model_new(17), .options = {.seed = seed}, .label = -1};
    AeShape shape = ae_shape(2, AE_UNKNOWN, size);
    int x = ae_model_add_input(net.model, "code", &shape, NULL), n = size;

    for (int i = 0; i < LAYERS; i++) {
        x = dense_relu(&net, x, n, UNITS);
        n = UNITS;
    }
    ae_model_add_output(net.model,
                        ae_net_sigmoid(&net, ae_net_dense(&net, x, n, 1)));
    return ae_net_finish(&net, error);
}
