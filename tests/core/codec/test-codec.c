/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Halves of models: pictures become codes and codes pictures as the whole model
 * has it; what is no encoder or no decoder is refused in a sentence. */
#include "ae.h"
#include "model/build.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 7, HEIGHT = 5, MAX_BYTES = 4096 };

/* @image -> code -> image, each the same: a code is an image. */
static AeModel *identity(int channels, int height, int width)
{
    AeShape shape = ae_shape(4, -1, channels, height, width);
    AeModel *m = ae_model_new(17);
    int in = ae_model_add_input(m, "image", &shape, NULL);
    int code = ae_model_add_value(m, "code", NULL, NULL);
    int out = ae_model_add_value(m, "out", NULL, NULL);

    ae_model_add_node(m, "Identity", "encode", &in, 1, &code, 1, NULL);
    ae_model_add_node(m, "Identity", "decode", &code, 1, &out, 1, NULL);
    ae_model_add_output(m, out);
    ae_model_set(m, "ae.latent", "code");
    return m;
}

static AeCodec *new_decoder(AeModel *m, const AeShape *code, int batch)
{
    AeCodecOptions options = {.batch = batch, .threads = 2, .code = code};
    GError *error = NULL;
    AeCodec *decoder = ae_decoder_new(m, &options, &error);

    g_assert_no_error(error);
    return decoder;
}

static void set_code(AeCodec *decoder, int i, const float *numbers)
{
    AeTensor code = ae_codec_code(decoder, i, 0);

    ae_tensor_from_row_major(&code, numbers);
}

static int sample(const AePicture *picture, int c, int x, int y)
{
    const AePlane *plane = &picture->plane[c];

    return plane->data[y * plane->stride + x * plane->step];
}

/* Formats. */

static const struct {
    const char *name;
    AeColour colour;
    int n_planes, n_colours;
    gboolean alpha, packed;
    int log2; /* of chroma */
} formats[] = {
    {"GRAY8", AE_COLOUR_GRAY, 1, 1, FALSE, FALSE, 0},
    {"I420", AE_COLOUR_YUV, 3, 3, FALSE, FALSE, 1},
    {"AYUV", AE_COLOUR_YUV, 4, 3, TRUE, TRUE, 0},
    {"RGB", AE_COLOUR_RGB, 3, 3, FALSE, TRUE, 0},
    {"RGBP", AE_COLOUR_RGB, 3, 3, FALSE, FALSE, 0},
    {"RGBx", AE_COLOUR_RGB, 4, 3, FALSE, TRUE, 0},
    {"RGBA", AE_COLOUR_RGB, 4, 3, TRUE, TRUE, 0},
};

/* A picture of bytes 77 in @memory. */
static AePicture new_picture(size_t f, int width, int height, uint8_t *memory)
{
    AePicture picture = {
        .format = {.name = formats[f].name,
                   .colour = formats[f].colour,
                   .width = width,
                   .height = height,
                   .bits = 8,
                   .n_planes = formats[f].n_planes,
                   .n_colours = formats[f].n_colours,
                   .alpha = formats[f].alpha},
    };
    int n = formats[f].n_planes;

    g_assert_cmpint(n * width * height, <=, MAX_BYTES);
    memset(memory, 77, MAX_BYTES);
    for (int c = 0; c < n; c++) {
        gboolean chroma = formats[f].colour == AE_COLOUR_YUV && c > 0 && c < 3;
        int log2 = chroma ? formats[f].log2 : 0;
        int w = (width + log2) >> log2, h = (height + log2) >> log2;

        picture.format.log2_x[c] = picture.format.log2_y[c] = log2;
        picture.plane[c] =
            formats[f].packed
                ? ae_plane(memory + c, n * width, n, w, h, 8)
                : ae_plane(memory + c * width * height, w, 1, w, h, 8);
    }
    return picture;
}

/* What sample (x, y) of plane @c is after images were written at (0, 0) and
 * (WIDTH, 0): their numbers count up, from 0 and from 100 on. */
static int expected(const AePicture *picture, int channels, int c, int x, int y)
{
    int right = x >= WIDTH;

    if (c >= picture->format.n_colours)
        return 255;
    if (picture->format.colour == AE_COLOUR_YUV && c > 0)
        return 128;
    x -= right * WIDTH;
    return (c % channels * HEIGHT + y) * WIDTH + x + right * 100;
}

static void check_format(size_t f, int channels)
{
    g_autoptr(AeModel) m = identity(channels, HEIGHT, WIDTH);
    g_autoptr(AeCodec) decoder = new_decoder(m, NULL, 2);
    float code[3 * HEIGHT * WIDTH];
    uint8_t memory[MAX_BYTES];
    AePicture picture = new_picture(f, 2 * WIDTH, HEIGHT, memory);

    for (int image = 0; image < 2; image++) {
        for (int i = 0; i < channels * HEIGHT * WIDTH; i++)
            code[i] = (float)(i + 100 * image) / 255;
        set_code(decoder, image, code);
    }
    ae_codec_run(decoder);
    ae_codec_clear_picture(&picture);
    ae_codec_get_picture(decoder, 0, &picture, 0, 0);
    ae_codec_get_picture(decoder, 1, &picture, WIDTH, 0);
    for (int c = 0; c < picture.format.n_planes; c++)
        for (int y = 0; y < picture.plane[c].height; y++)
            for (int x = 0; x < picture.plane[c].width; x++)
                g_assert_cmpint(sample(&picture, c, x, y), ==,
                                expected(&picture, channels, c, x, y));
}

static void test_formats(void)
{
    for (size_t f = 0; f < G_N_ELEMENTS(formats); f++) {
        check_format(f, 1);
        if (formats[f].colour == AE_COLOUR_RGB)
            check_format(f, 3);
    }
}

/* A picture that is smaller than the image, and numbers out of range. */
static void test_extremes(void)
{
    static const float code[] = {-1e30f, 1e30f, NAN, 0.5f, 1, 1, 1, 1};
    static const uint8_t bytes[] = {0, 255, 0, 77};
    g_autoptr(AeModel) m = identity(1, 2, 4);
    g_autoptr(AeCodec) decoder = new_decoder(m, NULL, 1);
    uint8_t memory[MAX_BYTES];
    AePicture picture = new_picture(0, 3, 1, memory);

    set_code(decoder, 0, code);
    ae_codec_run(decoder);
    ae_codec_get_picture(decoder, 0, &picture, 0, 0);
    g_assert_cmpmem(memory, 4, bytes, 4);
}

/* The code of a picture is its samples, in the model's range, enlarged by
 * reflection to the multiple of the metadata. */
static void test_encode(void)
{
    g_autoptr(AeModel) m = identity(1, -1, -1);
    g_autoptr(AeCodec) encoder = NULL;
    const AeMetadata metadata = {.range = {-1, 2}, .multiple = 4};
    AeCodecOptions options = {.batch = 2, .threads = 2};
    uint8_t memory[MAX_BYTES];
    AePicture picture = new_picture(1, WIDTH, HEIGHT, memory);
    AeTensor code;

    ae_metadata_write(m, &metadata);
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        memory[i] = (uint8_t)i;
    encoder = ae_encoder_new(m, &picture.format, &options, NULL);
    g_assert_nonnull(encoder);
    g_assert_cmpint(ae_codec_batch(encoder), ==, 2);
    g_assert_cmpint(ae_codec_codes(encoder), ==, 1);
    ae_codec_set_picture(encoder, 1, &picture);
    ae_codec_run(encoder);
    code = ae_codec_code(encoder, 1, 0);
    g_assert_cmpint(code.shape.dim[0], ==, 1);
    g_assert_cmpint(code.shape.dim[2], ==, 8);
    g_assert_cmpint(code.shape.dim[3], ==, 8);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) {
            int row = y < HEIGHT ? y : 2 * (HEIGHT - 1) - y;
            int column = x < WIDTH ? x : 2 * (WIDTH - 1) - x;

            g_assert_cmpfloat_with_epsilon(
                code.data[8 * y + x],
                -1 + 2 * (float)(row * WIDTH + column) / 255, 1e-6);
        }
}

/* Mean and moments are what the metadata name; a drawn code follows from the
 * seed. */
static void test_variational(void)
{
    g_autoptr(AeModel) m =
        ae_architecture_new("vae", &(AeArchitectureOptions){.seed = 3}, NULL);
    uint8_t memory[MAX_BYTES];
    AePicture picture = new_picture(0, 28, 28, memory);
    float codes[3][2][2];

    for (int encoding = 0; encoding < 3; encoding++) {
        AeCodecOptions options = {.encoding = (AeEncoding)encoding};
        g_autoptr(AeCodec) encoder =
            ae_encoder_new(m, &picture.format, &options, NULL);

        g_assert_cmpint(ae_codec_codes(encoder), ==,
                        encoding == AE_ENCODING_MOMENTS ? 2 : 1);
        for (int seed = 0; seed < 2; seed++) {
            ae_codec_set_seed(encoder, (uint64_t)seed, 0);
            ae_codec_set_picture(encoder, 0, &picture);
            ae_codec_run(encoder);
            memcpy(codes[encoding][seed], ae_codec_code(encoder, 0, 0).data,
                   sizeof codes[encoding][seed]);
        }
    }
    g_assert_cmpmem(codes[AE_ENCODING_MEAN], sizeof codes[0],
                    codes[AE_ENCODING_MOMENTS], sizeof codes[0]);
    g_assert_cmpmem(codes[AE_ENCODING_MEAN][0], sizeof codes[0][0],
                    codes[AE_ENCODING_MEAN][1], sizeof codes[0][0]);
    g_assert_cmpfloat(codes[AE_ENCODING_SAMPLE][0][0], !=,
                      codes[AE_ENCODING_SAMPLE][1][0]);
}

/* Networks. */

static const struct {
    const char *architecture;
    int channels, classes;
    AeShape code;
    gboolean given;
    int width, height;
} networks[] = {
    {"dense", 1, 0, {2, {1, 2}}, FALSE, 28, 28},
    {"vae", 1, 0, {2, {1, 2}}, FALSE, 28, 28},
    {"vae", 1, 10, {2, {1, 2}}, FALSE, 28, 28},
    {"conv-vae", 3, 4, {2, {1, 2}}, FALSE, 28, 28},
    {"keras", 1, 0, {4, {1, 8, 4, 4}}, FALSE, 28, 28},
    {"keras-superres", 1, 0, {4, {1, 8, 4, 4}}, FALSE, 28, 28},
    {"keras-denoise", 3, 0, {4, {1, 32, 5, 3}}, TRUE, 12, 20},
};

static int label_of(int image, int classes)
{
    return (7 * image + 1) % classes;
}

/* The images as the core makes them, channels-last. */
static AePlan *run_core(AeModel *m, int n, int classes, const AeShape *one,
                        const float *codes)
{
    const char *inputs[] = {ae_model_get(m, "ae.latent"), "label"};
    AeShape shapes[] = {*one, ae_shape(2, n, classes)};
    AePlanOptions options = {
        .inputs = inputs, .shapes = shapes, .n_inputs = classes > 0 ? 2 : 1};
    GError *error = NULL;
    AePlan *plan;

    shapes[0].dim[0] = n;
    plan = ae_plan_new(m, &options, &error);
    g_assert_no_error(error);
    AeTensor all = {.shape = shapes[0], .data = ae_plan_input(plan, 0)};
    ae_tensor_from_row_major(&all, codes);
    for (int i = 0; classes > 0 && i < n; i++)
        ae_plan_input(plan, 1)[i * classes + label_of(i, classes)] = 1;
    ae_plan_run(plan);
    return plan;
}

/* A single code is decoded as in a batch, but for the order of sums. */
static void check_network(size_t i, int n, int batch)
{
    AeArchitectureOptions options = {.channels = networks[i].channels,
                                     .classes = networks[i].classes,
                                     .seed = 3};
    g_autoptr(AeModel) m =
        ae_architecture_new(networks[i].architecture, &options, NULL);
    g_autoptr(AeCodec) decoder =
        new_decoder(m, networks[i].given ? &networks[i].code : NULL, batch);
    int width = networks[i].width, height = networks[i].height;
    int channels = networks[i].channels, classes = networks[i].classes;
    const AeShape image = ae_shape(4, 1, channels, height, width);
    const AeShape code = ae_codec_code(decoder, 0, 0).shape;
    int64_t size = ae_shape_elements(&code);
    int64_t samples = ae_shape_elements(&image);
    g_autofree float *codes = g_new(float, (gsize)(n * size));
    AeRandom random = ae_random(i, 0);

    ae_random_normals(&random, codes, n * size);
    g_autoptr(AePlan) plan = run_core(m, n, classes, &networks[i].code, codes);
    const float *images = ae_plan_output(plan, 0);

    g_assert_true(ae_shape_equal(&code, &networks[i].code));
    g_assert_cmpint(ae_codec_batch(decoder), ==, batch);
    g_assert_cmpint(ae_codec_classes(decoder), ==, classes);
    for (int k = 0; k < n; k++) {
        AeTensor decoded = ae_codec_image(decoder, k % batch);

        g_assert_true(ae_shape_equal(&decoded.shape, &image));
        set_code(decoder, k % batch, codes + k * size);
        if (classes > 0)
            ae_codec_set_label(decoder, k % batch, label_of(k, classes));
        ae_codec_run(decoder);
        for (int64_t j = 0; j < samples; j++)
            g_assert_cmpfloat_with_epsilon(decoded.data[j],
                                           images[k * samples + j], 1e-5);
    }
}

static void test_networks(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(networks); i++) {
        check_network(i, 3, 1);
        check_network(i, 3, 3);
    }
}

/* A file that fixes the batch has its way. */
static void test_fixed_batch(void)
{
    g_autoptr(AeModel) m = identity(1, 2, 2);
    g_autoptr(AeCodec) decoder = NULL, encoder = NULL;
    uint8_t memory[MAX_BYTES];
    AePicture picture = new_picture(0, 2, 2, memory);

    ae_model_value(m, ae_model_input(m, 0))->shape.dim[0] = 2;
    decoder = new_decoder(m, NULL, 64);
    encoder = ae_encoder_new(m, &picture.format, &(AeCodecOptions){0}, NULL);
    g_assert_cmpint(ae_codec_batch(decoder), ==, 2);
    g_assert_cmpint(ae_codec_batch(encoder), ==, 2);
}

/* Axes of length 1 at the front of a code's shape need not be given. */
static void test_code_shapes(void)
{
    static const struct {
        int width; /* of the model's code, its height is 2 */
        AeShape given;
        gboolean fits;
    } cases[] = {
        {4, {4, {1, 1, 2, 4}}, TRUE},
        {4, {2, {2, 4}}, TRUE},
        {4, {6, {1, 1, 1, 1, 2, 4}}, TRUE},
        {4, {2, {2, 5}}, FALSE},
        {4, {1, {8}}, FALSE},
        {4, {4, {2, 1, 2, 4}}, FALSE},
        {4, {5, {2, 1, 1, 2, 4}}, FALSE},
        {-1, {2, {2, 9}}, TRUE},
        {-1, {3, {5, 2, 9}}, FALSE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AeModel) m = identity(1, 2, cases[i].width);
        AeCodecOptions options = {.code = &cases[i].given};
        g_autoptr(AeCodec) decoder = ae_decoder_new(m, &options, NULL);

        g_assert_true((decoder != NULL) == cases[i].fits);
    }
}

/* Refusals. */

static AeModel *no_latent(void)
{
    AeArchitectureOptions options = {0};

    return ae_architecture_new("unet-xs", &options, NULL);
}

static AeModel *no_such_value(void)
{
    AeModel *m = identity(1, 2, 2);

    ae_model_set(m, "ae.latent", "nowhere");
    return m;
}

static AeModel *encoder_only(void)
{
    g_autoptr(AeModel) whole = identity(1, 2, 2);

    return ae_model_cut(whole, NULL, "code", NULL);
}

static AeModel *moments_only(void)
{
    AeArchitectureOptions options = {0};
    g_autoptr(AeModel) whole = ae_architecture_new("vae", &options, NULL);
    AeModel *m = ae_model_copy(whole, NULL);

    g_array_set_size(m->outputs, 0);
    ae_model_add_output(m, ae_model_find(m, ae_model_get(m, "ae.mean")));
    return m;
}

static AeModel *five_channels(void)
{
    return identity(5, 2, 2);
}

static AeModel *open_size(void)
{
    return identity(1, -1, 2);
}

static AeModel *bad_range(void)
{
    AeModel *m = identity(1, 2, 2);

    ae_model_set(m, "ae.range", "wide");
    return m;
}

static AeModel *bad_label(void)
{
    AeModel *m = identity(1, 2, 2);

    ae_model_set(m, "ae.label", "which");
    ae_model_set(m, "ae.classes", "10");
    return m;
}

static AeModel *bad_classes(void)
{
    AeArchitectureOptions options = {.classes = 10};
    AeModel *m = ae_architecture_new("vae", &options, NULL);

    ae_model_set(m, "ae.classes", "11");
    return m;
}

static AeModel *two_by_two(void)
{
    return identity(1, 2, 2);
}

static AeModel *decoder_only(void)
{
    g_autoptr(AeModel) whole = identity(1, 2, 2);

    return ae_model_cut(whole, "code", NULL, NULL);
}

static AeModel *two_images(void)
{
    AeModel *m = identity(1, 2, 2);
    AeShape shape = ae_shape(4, -1, 1, 2, 2);

    ae_model_add_input(m, "second", &shape, NULL);
    return m;
}

static AeModel *plain(void)
{
    return ae_architecture_new("keras", &(AeArchitectureOptions){0}, NULL);
}

static AeModel *no_batch(void)
{
    AeModel *m = identity(1, 2, 2);
    int code = ae_model_find(m, "code"), sum;

    sum = ae_model_add_value(m, "sum", NULL, NULL);
    ae_node_set_int(
        ae_model_add_node(m, "ReduceSum", "sum", &code, 1, &sum, 1, NULL),
        "keepdims", 0);
    ae_model_set(m, "ae.latent", "sum");
    return m;
}

static const struct {
    AeModel *(*make)(void);
    AeShape code; /* rank 0: none is given */
    int code_error;
    const char *says;
} no_decoders[] = {
    {no_latent, {0}, AE_ERROR_SHAPE, "lack ae.latent"},
    {no_such_value, {0}, AE_ERROR_FORMAT, "ae.latent=nowhere"},
    {encoder_only, {0}, AE_ERROR_SHAPE, "it is an encoder"},
    {moments_only, {0}, AE_ERROR_VALUE, "cannot decode from"},
    {five_channels, {0}, AE_ERROR_SHAPE, "into 1x5x2x2, where images"},
    {open_size, {0}, AE_ERROR_SHAPE, "has the shape 1x?x?x?, where"},
    {no_batch, {0}, AE_ERROR_SHAPE, "has the shape scalar, where"},
    {bad_range, {0}, AE_ERROR_FORMAT, "ae.range=wide"},
    {bad_label, {0}, AE_ERROR_FORMAT, "ae.label=which"},
    {bad_classes, {0}, AE_ERROR_FORMAT, "ae.classes=11"},
    {two_by_two,
     {2, {1, 4}},
     AE_ERROR_SHAPE,
     "codes of 1x1x2x2, but these are 1x4"},
};

static const struct {
    AeModel *(*make)(void);
    size_t format;
    int size;
    AeEncoding encoding;
    int code_error;
    const char *says;
} no_encoders[] = {
    {no_latent, 0, 2, AE_ENCODING_MEAN, AE_ERROR_SHAPE, "lack ae.latent"},
    {decoder_only, 0, 2, AE_ENCODING_MEAN, AE_ERROR_SHAPE, "it is a decoder"},
    {five_channels, 0, 2, AE_ENCODING_MEAN, AE_ERROR_SHAPE, "takes ?x5x2x2"},
    {two_images, 0, 2, AE_ENCODING_MEAN, AE_ERROR_SHAPE, "takes other inputs"},
    {bad_range, 0, 2, AE_ENCODING_MEAN, AE_ERROR_FORMAT, "ae.range=wide"},
    {plain, 0, 28, AE_ENCODING_MOMENTS, AE_ERROR_SHAPE, "has no moments"},
    {plain, 0, 29, AE_ENCODING_MEAN, AE_ERROR_SHAPE,
     "images of 28x28, but this is 29x29"},
    {plain, 3, 28, AE_ENCODING_MEAN, AE_ERROR_SHAPE,
     "gray images or luma, but this is RGB"},
    {no_batch, 0, 2, AE_ENCODING_MEAN, AE_ERROR_SHAPE, "of scalar, where"},
};

static void check_error(const GError *error, int code, const char *says)
{
    g_test_message("%s", error->message);
    g_assert_error(error, AE_ERROR, code);
    g_assert_nonnull(strstr(error->message, says));
}

static void test_no_decoders(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(no_decoders); i++) {
        g_autoptr(AeModel) m = no_decoders[i].make();
        const AeShape *code = &no_decoders[i].code;
        AeCodecOptions options = {.code = code->rank > 0 ? code : NULL};
        g_autoptr(GError) error = NULL;

        g_assert_null(ae_decoder_new(m, &options, &error));
        check_error(error, no_decoders[i].code_error, no_decoders[i].says);
    }
}

static void test_no_encoders(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(no_encoders); i++) {
        g_autoptr(AeModel) m = no_encoders[i].make();
        AeCodecOptions options = {.encoding = no_encoders[i].encoding};
        g_autoptr(GError) error = NULL;
        uint8_t memory[MAX_BYTES];
        AePicture picture =
            new_picture(no_encoders[i].format, no_encoders[i].size,
                        no_encoders[i].size, memory);

        g_assert_null(ae_encoder_new(m, &picture.format, &options, &error));
        check_error(error, no_encoders[i].code_error, no_encoders[i].says);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/codec/formats", test_formats);
    g_test_add_func("/codec/extremes", test_extremes);
    g_test_add_func("/codec/encode", test_encode);
    g_test_add_func("/codec/variational", test_variational);
    g_test_add_func("/codec/networks", test_networks);
    g_test_add_func("/codec/fixed-batch", test_fixed_batch);
    g_test_add_func("/codec/code-shapes", test_code_shapes);
    g_test_add_func("/codec/no-decoders", test_no_decoders);
    g_test_add_func("/codec/no-encoders", test_no_encoders);
    return g_test_run();
}
