/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstaedecoder: codes come out as the images that the core makes of them, in
 * every format; what has no decoder is refused in a sentence. */
#include <glib/gstdio.h>
#include <math.h>

#include "gstaedecoder.h"

static char *folder;

/* Takes @m; the file goes when the test ends. */
static GstAeModel *try_load(AeModel *m, GError **error)
{
    static int number;
    g_autofree char *path = g_strdup_printf("%s/%d.onnx", folder, number++);
    GstAeModel *model;

    g_assert_true(ae_onnx_save(m, path, NULL));
    ae_model_unref(m);
    model = gst_ae_model_load(path, NULL, AE_PRECISION_AUTO, error);
    g_unlink(path);
    return model;
}

static GstAeModel *load(AeModel *m)
{
    GError *error = NULL;
    GstAeModel *model = try_load(m, &error);

    g_assert_no_error(error);
    return model;
}

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

static GstAeDecoder *new_decoder(const GstAeModel *model, const AeShape *code,
                                 int batch)
{
    GError *error = NULL;
    GstAeDecoder *decoder =
        gst_ae_decoder_new(model, code, batch, 2, AE_PRECISION_AUTO, &error);

    g_assert_no_error(error);
    return decoder;
}

static GstBuffer *map_frame(GstVideoFrame *frame, const char *format, int width,
                            int height)
{
    GstVideoInfo info;
    GstBuffer *buffer;

    gst_video_info_set_format(&info, gst_video_format_from_string(format),
                              (guint)width, (guint)height);
    buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
    gst_buffer_memset(buffer, 0, 77, info.size);
    g_assert_true(gst_video_frame_map(frame, &info, buffer, GST_MAP_READWRITE));
    return buffer;
}

static void unmap_frame(GstVideoFrame *frame, GstBuffer *buffer)
{
    gst_video_frame_unmap(frame);
    gst_buffer_unref(buffer);
}

static int sample(const GstVideoFrame *frame, int c, int x, int y)
{
    const uint8_t *row = GST_VIDEO_FRAME_COMP_DATA(frame, c);

    row += (gsize)y * GST_VIDEO_FRAME_COMP_STRIDE(frame, c);
    return row[x * GST_VIDEO_FRAME_COMP_PSTRIDE(frame, c)];
}

/* Formats. */

enum { WIDTH = 7, HEIGHT = 5 };

/* What sample (x, y) of component @c should be after images were written at
 * (0, 0) and (WIDTH, 0), the second with 100 added. */
static int expected(const GstVideoFrame *frame, const float *code, int channels,
                    int c, int x, int y)
{
    int right = x >= WIDTH;

    if (c == GST_VIDEO_COMP_A)
        return 255;
    if (GST_VIDEO_INFO_IS_YUV(&frame->info) && c > 0)
        return 128;
    x -= right * WIDTH;
    return CLAMP((int)code[(c % channels * HEIGHT + y) * WIDTH + x], 0, 255) +
           right * 100;
}

static void check_format(const char *format, int channels)
{
    g_autoptr(GstAeModel) model = load(identity(channels, HEIGHT, WIDTH));
    g_autoptr(GstAeDecoder) decoder = new_decoder(model, NULL, 2);
    float numbers[3 * HEIGHT * WIDTH], code[3 * HEIGHT * WIDTH];
    int n = channels * HEIGHT * WIDTH;
    GstVideoFrame frame;
    GstBuffer *buffer = map_frame(&frame, format, 2 * WIDTH, HEIGHT);

    for (int i = 0; i < n; i++) {
        numbers[i] = (float)i;
        code[i] = (float)i / 255;
    }
    gst_ae_decoder_set_code(decoder, 0, code);
    for (int i = 0; i < n; i++)
        code[i] = (float)(i + 100) / 255;
    gst_ae_decoder_set_code(decoder, 1, code);
    gst_ae_decoder_run(decoder);
    gst_ae_decoder_clear(&frame);
    gst_ae_decoder_write(decoder, 0, &frame, 0, 0);
    gst_ae_decoder_write(decoder, 1, &frame, WIDTH, 0);
    for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS(&frame); c++)
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c); y++)
            for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame, c); x++)
                g_assert_cmpint(
                    sample(&frame, (int)c, x, y), ==,
                    expected(&frame, numbers, channels, (int)c, x, y));
    unmap_frame(&frame, buffer);
}

static void test_formats(void)
{
    static const int channels[] = {1, 3};

    for (size_t i = 0; i < G_N_ELEMENTS(channels); i++) {
        g_autoptr(GstAeModel) model =
            load(identity(channels[i], HEIGHT, WIDTH));
        g_autoptr(GstAeDecoder) decoder = new_decoder(model, NULL, 1);
        g_autoptr(GstCaps) caps = gst_ae_decoder_caps(decoder, 2, 1);
        const GValue *list =
            gst_structure_get_value(gst_caps_get_structure(caps, 0), "format");

        g_assert_cmpuint(gst_value_list_get_size(list), >=, 14);
        g_assert_cmpstr(g_value_get_string(gst_value_list_get_value(list, 0)),
                        ==, channels[i] == 1 ? "GRAY8" : "RGB");
        for (guint f = 0; f < gst_value_list_get_size(list); f++)
            check_format(g_value_get_string(gst_value_list_get_value(list, f)),
                         channels[i]);
    }
}

/* The byte that RGBx leaves over, and numbers out of range. */
static void test_extremes(void)
{
    static const float code[] = {-1e30f, 1e30f, NAN, 0.5f};
    static const guint8 bytes[] = {0, 0, 0, 255, 255, 255, 255, 255,
                                   0, 0, 0, 255, 128, 128, 128, 255};
    g_autoptr(GstAeModel) model = load(identity(1, 1, 4));
    g_autoptr(GstAeDecoder) decoder = new_decoder(model, NULL, 1);
    GstVideoFrame frame;
    GstBuffer *buffer = map_frame(&frame, "RGBx", 4, 1);

    gst_ae_decoder_set_code(decoder, 0, code);
    gst_ae_decoder_run(decoder);
    gst_ae_decoder_clear(&frame);
    gst_ae_decoder_write(decoder, 0, &frame, 0, 0);
    g_assert_cmpmem(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0), 16, bytes, 16);
    unmap_frame(&frame, buffer);
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
    AeModel *m = ae_architecture_new(networks[i].architecture, &options, NULL);
    g_autoptr(GstAeModel) model = load(m);
    g_autoptr(GstAeDecoder) decoder =
        new_decoder(model, networks[i].given ? &networks[i].code : NULL, batch);
    int width = networks[i].width, height = networks[i].height;
    int channels = networks[i].channels, classes = networks[i].classes;
    int size = gst_ae_decoder_size(decoder);
    g_autofree float *codes = g_new(float, (gsize)(n * size));
    AeRandom random = ae_random(i, 0);
    GstVideoFrame frame;
    GstBuffer *buffer =
        map_frame(&frame, channels == 1 ? "GRAY8" : "RGB", width, height);

    ae_random_normals(&random, codes, n * size);
    g_autoptr(AePlan) plan =
        run_core(model->model, n, classes, &networks[i].code, codes);
    const float *images = ae_plan_output(plan, 0);

    g_assert_cmpint(size, ==, ae_shape_elements(&networks[i].code));
    g_assert_cmpint(gst_ae_decoder_batch(decoder), ==, batch);
    g_assert_cmpint(gst_ae_decoder_shape(decoder)->dim[0], ==, batch);
    g_assert_cmpint(gst_ae_decoder_classes(decoder), ==, classes);
    g_assert_cmpint(gst_ae_decoder_channels(decoder), ==, channels);
    g_assert_cmpint(gst_ae_decoder_width(decoder), ==, width);
    g_assert_cmpint(gst_ae_decoder_height(decoder), ==, height);
    for (int k = 0; k < n; k++) {
        gst_ae_decoder_set_code(decoder, k % batch, codes + k * size);
        if (classes > 0)
            gst_ae_decoder_set_label(decoder, k % batch, label_of(k, classes));
        gst_ae_decoder_run(decoder);
        gst_ae_decoder_write(decoder, k % batch, &frame, 0, 0);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int c = 0; c < channels; c++)
                    g_assert_cmpfloat_with_epsilon(
                        sample(&frame, c, x, y),
                        255 * images[((k * height + y) * width + x) * channels +
                                     c],
                        0.501);
    }
    unmap_frame(&frame, buffer);
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
    AeModel *m = identity(1, 2, 2);
    g_autoptr(GstAeModel) model = NULL;
    g_autoptr(GstAeDecoder) decoder = NULL;

    ae_model_value(m, ae_model_input(m, 0))->shape.dim[0] = 2;
    model = load(m);
    decoder = new_decoder(model, NULL, 64);
    g_assert_cmpint(gst_ae_decoder_batch(decoder), ==, 2);
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
    AeModel *m = ae_model_copy(whole);

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

static const struct {
    AeModel *(*make)(void);
    AeShape code; /* rank 0: none is given */
    int code_error;
    const char *says;
} refusals[] = {
    {no_latent, {0}, AE_ERROR_SHAPE, "lack ae.latent"},
    {no_such_value, {0}, AE_ERROR_FORMAT, "ae.latent=nowhere"},
    {encoder_only, {0}, AE_ERROR_SHAPE, "it is an encoder"},
    {moments_only, {0}, AE_ERROR_VALUE, "cannot decode from"},
    {five_channels, {0}, AE_ERROR_SHAPE, "into 1x5x2x2, where images"},
    {open_size, {0}, AE_ERROR_SHAPE, "leaves the shape of its code"},
    {bad_range, {0}, AE_ERROR_FORMAT, "ae.range=wide"},
    {bad_label, {0}, AE_ERROR_FORMAT, "ae.label=which"},
    {bad_classes, {0}, AE_ERROR_FORMAT, "ae.classes=11"},
    {two_by_two, {2, {1, 4}}, AE_ERROR_SHAPE, "into 1x4, where images"},
};

static void test_refusals(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GstAeModel) model = try_load(refusals[i].make(), &error);
        const AeShape *code = &refusals[i].code;

        if (model != NULL)
            g_assert_null(gst_ae_decoder_new(model,
                                             code->rank > 0 ? code : NULL, 1, 1,
                                             AE_PRECISION_AUTO, &error));
        g_test_message("%s", error->message);
        g_assert_error(error, AE_ERROR, refusals[i].code_error);
        g_assert_nonnull(strstr(error->message, refusals[i].says));
        g_assert_nonnull(strstr(error->message, folder));
    }
}

int main(int argc, char **argv)
{
    int result;

    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("aedecoder-XXXXXX", NULL);
    g_test_add_func("/aedecoder/formats", test_formats);
    g_test_add_func("/aedecoder/extremes", test_extremes);
    g_test_add_func("/aedecoder/networks", test_networks);
    g_test_add_func("/aedecoder/fixed-batch", test_fixed_batch);
    g_test_add_func("/aedecoder/refusals", test_refusals);
    result = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
