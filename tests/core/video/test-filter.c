/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ae.h"
#include "base/random.h"
#include "model/build.h"
#include "networks/architectures.h"
#include "ops/attributes.h"
#include "video/noise-level.h"

#include <math.h>
#include <string.h>

enum { LARGEST = 64 };

typedef struct {
    uint8_t samples[AE_PICTURE_PLANES][2 * LARGEST * LARGEST];
    AePicture picture;
} Frame;

static AePictureFormat gray(int width, int height, int bits)
{
    return (AePictureFormat){.name = "gray",
                             .colour = AE_COLOUR_GRAY,
                             .width = width,
                             .height = height,
                             .bits = bits,
                             .n_planes = 1,
                             .n_colours = 1};
}

static AePictureFormat yuv420(int width, int height)
{
    return (AePictureFormat){.name = "4:2:0",
                             .colour = AE_COLOUR_YUV,
                             .width = width,
                             .height = height,
                             .bits = 8,
                             .n_planes = 3,
                             .n_colours = 3,
                             .log2_x = {0, 1, 1},
                             .log2_y = {0, 1, 1}};
}

static AePictureFormat rgb_with_alpha(int width, int height)
{
    return (AePictureFormat){.name = "RGBA",
                             .colour = AE_COLOUR_RGB,
                             .width = width,
                             .height = height,
                             .bits = 8,
                             .n_planes = 4,
                             .n_colours = 3,
                             .alpha = TRUE};
}

static int shifted(int size, int log2)
{
    return (size + (1 << log2) - 1) >> log2;
}

/* A frame of dense planes, each in memory of its own. */
static void make_frame(Frame *frame, const AePictureFormat *format)
{
    int bytes = format->bits > 8 ? 2 : 1;

    memset(frame->samples, 0xee, sizeof frame->samples);
    frame->picture.format = *format;
    for (int i = 0; i < format->n_planes; i++) {
        int width = shifted(format->width, format->log2_x[i]);
        int height = shifted(format->height, format->log2_y[i]);

        frame->picture.plane[i] = ae_plane(frame->samples[i], width * bytes,
                                           bytes, width, height, format->bits);
    }
}

static void fill_random(Frame *frame, uint64_t seed)
{
    AeRandom random = ae_random(seed, 0);

    for (int i = 0; i < frame->picture.format.n_planes; i++) {
        const AePlane *plane = &frame->picture.plane[i];

        for (int k = 0; k < plane->stride * plane->height; k++)
            plane->data[k] = (uint8_t)ae_random_below(&random, 256);
    }
}

static AeFilter *new_filter(const AeImageModel *images,
                            const AePictureFormat *format, int scale,
                            int threads)
{
    g_autoptr(GError) error = NULL;
    AeFilter *filter = ae_filter_new(
        images, format,
        &(AeFilterOptions){scale, threads, AE_PRECISION_FP32, 0, 0}, &error);

    g_assert_no_error(error);
    return filter;
}

/* Takes @model. */
static AeImageModel *images_of(AeModel *model)
{
    g_autoptr(GError) error = NULL;
    AeImageModel *images = ae_image_model_new(model, &error);

    g_assert_no_error(error);
    ae_model_unref(model);
    return images;
}

static AeImageModel *load(const char *name)
{
    g_autoptr(GError) error = NULL;
    AeModel *model = ae_builtin_load(name, &error);

    g_assert_no_error(error);
    return images_of(model);
}

static void run_images(const AeImageModel *images, const Frame *in, Frame *out,
                       float strength)
{
    g_autoptr(AeFilter) filter =
        new_filter(images, &in->picture.format, images->scale, 2);
    AePictureFormat format = in->picture.format;

    format.width *= images->scale;
    format.height *= images->scale;
    make_frame(out, &format);
    ae_filter_run(filter, &in->picture, &out->picture,
                  &(AeFilterSettings){.strength = strength});
}

static void run(const char *name, const Frame *in, Frame *out, float strength)
{
    g_autoptr(AeImageModel) images = load(name);

    run_images(images, in, out, strength);
}

static void assert_same_plane(const Frame *a, const Frame *b, int i)
{
    const AePlane *plane = &a->picture.plane[i];

    g_assert_cmpmem(
        a->samples[i], (gsize)plane->stride * plane->height, b->samples[i],
        (gsize)b->picture.plane[i].stride * b->picture.plane[i].height);
}

/* At strength 0 the input is copied, alpha always. */
static void test_copies(void)
{
    static Frame in, none, all;
    AePictureFormat format = rgb_with_alpha(13, 11);

    make_frame(&in, &format);
    fill_random(&in, 1);
    run("light", &in, &none, 0);
    run("light", &in, &all, 1);
    for (int i = 0; i < 4; i++)
        assert_same_plane(&in, &none, i);
    assert_same_plane(&in, &all, 3);
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(memcmp(in.samples[i], all.samples[i], 13 * 11), !=, 0);
}

/* To a model of one channel every plane of 4:2:0 video is a gray picture. */
static void test_planes_are_gray_pictures(void)
{
    static Frame in, out, plane, filtered;
    AePictureFormat format = yuv420(21, 17);

    make_frame(&in, &format);
    fill_random(&in, 2);
    run("light", &in, &out, 1);
    for (int i = 0; i < 3; i++) {
        const AePlane *source = &in.picture.plane[i];
        AePictureFormat one = gray(source->width, source->height, 8);

        make_frame(&plane, &one);
        memcpy(plane.samples[0], in.samples[i],
               (gsize)source->stride * source->height);
        run("light", &plane, &filtered, 1);
        g_assert_cmpmem(out.samples[i], (gsize)source->stride * source->height,
                        filtered.samples[0],
                        (gsize)source->stride * source->height);
    }
}

static void copy_rows(uint8_t *out, int out_stride, const uint8_t *in,
                      int in_stride, int rows, int bytes)
{
    for (int y = 0; y < rows; y++)
        memcpy(out + y * out_stride, in + y * in_stride, (gsize)bytes);
}

/* Both fields of an interlaced picture are pictures of half its height. */
static void test_fields_are_pictures(void)
{
    enum { W = 19, H = 26 };
    static Frame in, out, field, filtered;
    AePictureFormat format = gray(W, H, 8), half = gray(W, H / 2, 8);

    format.fields = AE_FIELDS_INTERLEAVED;
    make_frame(&in, &format);
    fill_random(&in, 3);
    run("light", &in, &out, 1);
    for (int i = 0; i < 2; i++) {
        uint8_t found[W * H / 2];

        make_frame(&field, &half);
        copy_rows(field.samples[0], W, in.samples[0] + i * W, 2 * W, H / 2, W);
        run("light", &field, &filtered, 1);
        copy_rows(found, W, out.samples[0] + i * W, 2 * W, H / 2, W);
        g_assert_cmpmem(found, sizeof found, filtered.samples[0], W * H / 2);
    }
}

/* The result does not depend on the number of threads. */
static void test_threads_do_not_matter(void)
{
    static Frame in, out[3];
    AePictureFormat format = yuv420(63, 45);
    g_autoptr(AeImageModel) images = load("medium");

    make_frame(&in, &format);
    fill_random(&in, 4);
    for (int i = 0; i < 3; i++) {
        g_autoptr(AeFilter) filter = new_filter(images, &format, 1, i + 1);

        make_frame(&out[i], &format);
        ae_filter_run(filter, &in.picture, &out[i].picture,
                      &(AeFilterSettings){.strength = 1});
        for (int plane = 0; plane < 3; plane++)
            assert_same_plane(&out[0], &out[i], plane);
    }
}

/* More bits of a sample hold the result of 8 bits more finely. */
static void test_bits(void)
{
    enum { W = 15, H = 12 };
    static Frame in, out, deep, filtered;
    AePictureFormat format = gray(W, H, 8), words = gray(W, H, 16);

    make_frame(&in, &format);
    fill_random(&in, 5);
    make_frame(&deep, &words);
    for (int k = 0; k < W * H; k++)
        memset(deep.samples[0] + 2 * k, in.samples[0][k], 2);
    run("light", &in, &out, 1);
    run("light", &deep, &filtered, 1);
    for (int k = 0; k < W * H; k++) {
        int word =
            filtered.samples[0][2 * k] + 256 * filtered.samples[0][2 * k + 1];

        g_assert_cmpint((word + 128) / 257, ==, out.samples[0][k]);
    }
}

static void test_enlarges(void)
{
    enum { W = 9, H = 7 };
    static Frame in, out, expected;
    g_autoptr(GError) error = NULL;
    AeModel *model = ae_architecture_new(
        "nearest", &(AeArchitectureOptions){.scale = 3}, &error);
    g_autoptr(AeImageModel) images = NULL;
    AePictureFormat small = gray(W, H, 8), large = gray(3 * W, 3 * H, 8);

    g_assert_no_error(error);
    images = images_of(model);
    g_assert_cmpint(images->channels, ==, 1);
    g_assert_cmpint(images->scale, ==, 3);
    make_frame(&in, &small);
    fill_random(&in, 6);
    run_images(images, &in, &out, 1);
    make_frame(&expected, &large);
    ae_picture_enlarge(&expected.picture, &in.picture);
    assert_same_plane(&out, &expected, 0);
}

static void test_fits(void)
{
    g_autoptr(AeImageModel) images = load("light");
    AePictureFormat format = yuv420(32, 16), other = format;
    g_autoptr(AeFilter) filter = new_filter(images, &format, 1, 1);

    g_assert_true(ae_filter_fits(filter, &other, 32, 16));
    g_assert_false(ae_filter_fits(filter, &other, 32, 17));
    other.width = 34;
    g_assert_false(ae_filter_fits(filter, &other, 32, 16));
    other = format;
    other.fields = AE_FIELDS_INTERLEAVED;
    g_assert_false(ae_filter_fits(filter, &other, 32, 16));
}

/* A model for another upscaling factor is refused. */
static void test_refuses(void)
{
    g_autoptr(AeImageModel) images = load("superres2");
    g_autoptr(GError) error = NULL;
    AePictureFormat format = gray(16, 16, 8);

    g_assert_null(ae_filter_new(
        images, &format, &(AeFilterOptions){1, 1, AE_PRECISION_FP32, 0, 0},
        &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_SHAPE);
}

/* The largest caps of video are refused with the size in the sentence. */
static void test_huge(void)
{
    static const struct {
        int width, height;
        const char *sentence;
    } cases[] = {
        {G_MAXINT, 1, "2147483647x"},
        {1, G_MAXINT, "x2147483647"},
        {G_MAXINT, G_MAXINT, "2147483647x2147483647"},
        {1 << 20, 1 << 20, "1048576x1048576"},
    };
    g_autoptr(AeImageModel) images = load("light");
    g_autoptr(AeImageModel) larger = load("superres4");

    for (size_t i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        const int width = cases[i / 2].width, height = cases[i / 2].height;
        AePictureFormat format =
            i % 2 ? yuv420(width, height) : gray(width, height, 8);
        g_autoptr(GError) error = NULL, none = NULL;

        g_assert_null(ae_filter_new(
            images, &format, &(AeFilterOptions){1, 1, AE_PRECISION_FP32, 0, 0},
            &error));
        if (strstr(error->message, cases[i / 2].sentence) == NULL)
            g_error("%dx%d: %s", width, height, error->message);
        g_assert_null(ae_filter_new(
            larger, &format, &(AeFilterOptions){4, 1, AE_PRECISION_FP32, 0, 0},
            &none));
        g_assert_nonnull(none);
    }
}

static AePictureFormat rgb(int width, int height)
{
    AePictureFormat format = rgb_with_alpha(width, height);

    format.n_planes = 3;
    format.alpha = FALSE;
    return format;
}

/* How the images of a test model lie. */
typedef struct {
    const char *in, *out; /* "nchw", "nhwc", "chw" or "hwc" */
    int width, height;    /* 0: open */
    gboolean valid;       /* convolutions without padding */
    int bytes;            /* uint8: 1: in, 2: out, 3: at both ends */
    gboolean global;      /* each pixel depends on all */
} Look;

static int add_node(AeModel *model, const char *op, int in, int more,
                    AeNode **node)
{
    g_autofree char *name = g_strdup_printf("v%u", model->values->len);
    int out = ae_model_add_value(model, name, NULL, NULL);
    AeNode *made = ae_model_add_node(model, op, name, (int[]){in, more},
                                     more < 0 ? 1 : 2, &out, 1, NULL);

    g_assert_nonnull(made);
    if (node != NULL)
        *node = made;
    return out;
}

static int add_tensor(AeModel *model, AeShape shape, const float *values)
{
    g_autofree char *name = g_strdup_printf("v%u", model->values->len);
    AeTensor *tensor = ae_tensor_new(&shape, NULL);
    AeRandom random = ae_random(9, model->values->len);

    for (int64_t i = 0; i < ae_shape_elements(&shape); i++)
        tensor->data[i] = values != NULL
                              ? values[i]
                              : (ae_random_uniform(&random) - 0.3f) / 5;
    tensor->integer = values != NULL;
    return ae_model_add_constant(model, name, tensor, FALSE, NULL);
}

static int transpose(AeModel *model, int value, const int64_t *order)
{
    AeNode *node;

    value = add_node(model, "Transpose", value, -1, &node);
    ae_node_set_ints(node, "perm", order, 4);
    return value;
}

/* An axis of the batch, for images @as without one, then (n, c, h, w). */
static int arrange(AeModel *model, int value, const char *as, gboolean back)
{
    static const int64_t to_last[] = {0, 2, 3, 1}, to_first[] = {0, 3, 1, 2};
    static const float zero = 0;
    gboolean last = strchr(as, 'c')[1] == '\0', single = as[0] != 'n';

    if (!back && single)
        value = add_node(model, "Unsqueeze", value,
                         add_tensor(model, ae_shape(1, 1), &zero), NULL);
    if (last)
        value = transpose(model, value, back ? to_last : to_first);
    if (back && single)
        value = add_node(model, "Squeeze", value,
                         add_tensor(model, ae_shape(1, 1), &zero), NULL);
    return value;
}

static int convolve(AeModel *model, int value, const Look *look)
{
    AeNode *node;

    value = add_node(model, "Conv", value,
                     add_tensor(model, ae_shape(4, 3, 3, 3, 3), NULL), &node);
    if (!look->valid)
        ae_node_set_ints(node, "pads", (int64_t[]){1, 1, 1, 1}, 4);
    return value;
}

/* Two convolutions of RGB; the weights are those of any other model. */
static AeModel *convolutions(const Look *look)
{
    AeModel *model = ae_model_new(17);
    int64_t h = look->height > 0 ? look->height : AE_UNKNOWN;
    int64_t w = look->width > 0 ? look->width : AE_UNKNOWN;
    const struct {
        const char *name;
        AeShape shape;
    } shapes[] = {{"nchw", ae_shape(4, 1, 3, h, w)},
                  {"nhwc", ae_shape(4, 1, h, w, 3)},
                  {"chw", ae_shape(3, 3, h, w)},
                  {"hwc", ae_shape(3, h, w, 3)}};
    int value = -1, last;

    add_tensor(model, ae_shape(1, 1), NULL); /* numbers seed the weights */
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
        if (g_str_equal(shapes[i].name, look->in))
            value = ae_model_add_input(model, "in", &shapes[i].shape, NULL);
    if (look->bytes & 1) {
        AeNode *node;

        ae_model_value(model, value)->element = AE_ELEMENT_UINT8;
        ae_model_value(model, value)->integer = TRUE;
        value = add_node(model, "Cast", value, -1, &node);
        ae_node_set_int(node, "to", AE_ELEMENT_FLOAT);
    }
    value = arrange(model, value, look->in, FALSE);
    while (model->values->len < 20)
        add_tensor(model, ae_shape(1, 1), NULL);
    value = convolve(model, value, look);
    while (model->values->len < 40)
        add_tensor(model, ae_shape(1, 1), NULL);
    value = convolve(model, value, look);
    if (look->global)
        value = add_node(model, "Add", value,
                         add_node(model, "GlobalAveragePool", value, -1, NULL),
                         NULL);
    last = arrange(model, value, look->out, TRUE);
    if (look->bytes & 2) {
        AeNode *node;

        last = add_node(model, "Cast", last, -1, &node);
        ae_node_set_int(node, "to", AE_ELEMENT_UINT8);
        ae_model_value(model, last)->element = AE_ELEMENT_UINT8;
        ae_model_value(model, last)->integer = TRUE;
    }
    ae_model_add_output(model, last);
    return model;
}

static void assert_same_pictures(const Look *a, const Look *b, int tolerance)
{
    static Frame in, out[2];
    AePictureFormat format = rgb(43, 37);
    const Look *looks[] = {a, b};

    make_frame(&in, &format);
    fill_random(&in, 8);
    for (int i = 0; i < 2; i++) {
        g_autoptr(AeImageModel) images = images_of(convolutions(looks[i]));

        run_images(images, &in, &out[i], 0.75f);
    }
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 43 * 37; k++)
            g_assert_cmpint(ABS(out[0].samples[c][k] - out[1].samples[c][k]),
                            <=, tolerance);
    g_assert_cmpint(memcmp(in.samples[0], out[0].samples[0], 43 * 37), !=, 0);
}

/* The order of axes does not matter, with and without a batch. */
static void test_orders(void)
{
    static const Look plain = {.in = "nchw", .out = "nchw"};
    static const char *const orders[] = {"nchw", "nhwc", "chw", "hwc"};

    for (int i = 0; i < 16; i++)
        assert_same_pictures(
            &plain, &(Look){.in = orders[i / 4], .out = orders[i % 4]}, 0);
}

/* What convolutions without padding see is reflected, on all sides. */
static void test_valid(void)
{
    const Look look = {.in = "nchw", .out = "nchw", .valid = TRUE};
    g_autoptr(AeImageModel) images = images_of(convolutions(&look));

    g_assert_cmpint(images->margin, ==, 2);
    g_assert_cmpint(images->scale, ==, 1);
    static Frame in, out, all;
    AePictureFormat format = rgb(30, 20), larger = rgb(34, 24);

    make_frame(&in, &format);
    fill_random(&in, 8);
    run_images(images, &in, &out, 1);
    make_frame(&all, &larger);
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 34 * 24; k++) {
            int x = ABS(k % 34 - 2), y = ABS(k / 34 - 2);

            x = x > 29 ? 58 - x : x;
            y = y > 19 ? 38 - y : y;
            all.samples[c][k] = in.samples[c][y * 30 + x];
        }
    const Look same = {.in = "nchw", .out = "nchw"};
    g_autoptr(AeImageModel) zeros = images_of(convolutions(&same));
    static Frame expected;

    run_images(zeros, &all, &expected, 1);
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 30 * 20; k++)
            g_assert_cmpint(
                out.samples[c][k], ==,
                expected.samples[c][(k / 30 + 2) * 34 + k % 30 + 2]);
}

/* Tiles of a model for one size make the picture of a model for all sizes. */
static void test_tiles(void)
{
    const Look open = {.in = "nchw", .out = "nchw"};
    const Look sizes[] = {
        {.in = "nchw", .out = "nchw", .width = 16, .height = 12},
        {.in = "nhwc", .out = "nchw", .width = 43, .height = 9},
        {.in = "nchw", .out = "nhwc", .width = 42, .height = 36},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        assert_same_pictures(&open, &sizes[i], 0);
    assert_same_pictures(&(Look){.in = "nchw", .out = "nchw", .valid = TRUE},
                         &(Look){.in = "nchw",
                                 .out = "nchw",
                                 .width = 20,
                                 .height = 17,
                                 .valid = TRUE},
                         0);
}

/* A picture that is smaller than the one size is reflected. */
static void test_small_picture(void)
{
    const Look look = {.in = "nchw", .out = "nchw", .width = 64, .height = 64};
    g_autoptr(AeImageModel) images = images_of(convolutions(&look));
    static Frame in, out;
    AePictureFormat format = rgb(21, 17);

    make_frame(&in, &format);
    fill_random(&in, 8);
    run_images(images, &in, &out, 1);
    g_assert_cmpint(memcmp(in.samples[0], out.samples[0], 21 * 17), !=, 0);
}

/* A model that takes or makes bytes sees 255 as white. */
static void test_bytes(void)
{
    const Look floats = {.in = "nchw", .out = "nchw"};

    for (int bytes = 1; bytes <= 3; bytes++) {
        assert_same_pictures(
            &floats, &(Look){.in = "nchw", .out = "nchw", .bytes = bytes}, 1);
        assert_same_pictures(
            &floats, &(Look){.in = "nhwc", .out = "nhwc", .bytes = bytes}, 1);
    }
}

/* Where each pixel depends on all, tiles would be seen. */
static void test_refuses_tiles(void)
{
    const Look look = {
        .in = "nchw", .out = "nchw", .width = 32, .height = 32, .global = TRUE};
    g_autoptr(AeImageModel) images = images_of(convolutions(&look));
    g_autoptr(GError) error = NULL;
    AePictureFormat format = rgb(33, 20);

    g_assert_null(ae_filter_new(
        images, &format, &(AeFilterOptions){1, 1, AE_PRECISION_FP32, 0, 0},
        &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_SHAPE);
    g_assert_nonnull(strstr(error->message, "of 32x32 and no larger ones"));
}

/* Half of the image, and half of what came out before. */
static AeModel *decay(const char *state, int side)
{
    static const float half = 0.5f;
    AeShape image = ae_shape(4, 1, 1, side, side), one = ae_shape(1, 1);
    AeModel *model = ae_model_new(17);
    int x = ae_model_add_input(model, "x", &image, NULL);
    int past = ae_model_add_input(model, "past_y", &image, NULL);
    int y = add_node(model, "Mul", add_node(model, "Add", x, past, NULL),
                     add_tensor(model, one, &half), NULL);
    int next = ae_model_add_value(model, "next_y", NULL, NULL);

    ae_model_add_node(model, "Identity", "", &y, 1, &next, 1, NULL);
    ae_model_add_output(model, y);
    ae_model_add_output(model, next);
    if (state != NULL)
        ae_model_set(model, "ae.state", state);
    return model;
}

/* Each plane and field remembers its own past. A damaged frame does not enter
 * it, a reset and a frame that is copied forget it. */
static void test_states(void)
{
    enum { W = 20, H = 16, FRAMES = 8, COPIED = 4, DAMAGED = 6 };
    static Frame in, out;
    static float past[3][W * H];

    for (int fields = 0; fields < 2; fields++) {
        g_autoptr(AeImageModel) images =
            images_of(decay(fields ? "past_y=next_y" : NULL, -1));
        AePictureFormat format = yuv420(W, H);

        format.fields = fields ? AE_FIELDS_INTERLEAVED : AE_FIELDS_NONE;
        g_autoptr(AeFilter) filter = new_filter(images, &format, 1, 2);

        for (int again = 0; again < 2; again++) {
            memset(past, 0, sizeof past);
            ae_filter_reset(filter);
            for (int i = 0; i < FRAMES; i++) {
                make_frame(&in, &format);
                fill_random(&in, (uint64_t)(10 + i));
                make_frame(&out, &format);
                ae_filter_run(filter, &in.picture, &out.picture,
                              &(AeFilterSettings){.strength = i != COPIED,
                                                  .temporal = TRUE,
                                                  .damaged = i == DAMAGED});
                for (int c = 0; c < 3; c++)
                    for (int k = 0; k < (c > 0 ? W * H / 4 : W * H); k++) {
                        float y = (past[c][k] + in.samples[c][k]) / 2;

                        g_assert_cmpfloat_with_epsilon(
                            out.samples[c][k],
                            i == COPIED ? in.samples[c][k] : y, 0.51f);
                        if (i != DAMAGED)
                            past[c][k] = i == COPIED ? 0 : y;
                    }
            }
        }
    }
}

/* Subtracts the level of the noise from images of @channels: from the channel
 * behind them, or a second input, one number or a @map. */
static AeModel *subtract(int channels, gboolean input, gboolean map,
                         const char *said)
{
    const float begin = (float)channels, end = begin + 1, zero = 0, axis = 1;
    AeShape image = ae_shape(4, -1, channels + !input, -1, -1);
    AeShape number = map ? ae_shape(4, -1, 1, -1, -1) : ae_shape(4, 1, 1, 1, 1);
    AeShape one = ae_shape(1, 1);
    AeModel *model = ae_model_new(17);
    int x = ae_model_add_input(model, "x", &image, NULL), sigma, axes, out;
    int bounds[3];

    if (input) {
        sigma = ae_model_add_input(model, map ? "noise_map" : "level", &number,
                                   NULL);
    } else {
        axes = add_tensor(model, one, &axis);
        bounds[0] = add_tensor(model, one, &zero);
        bounds[1] = add_tensor(model, one, &begin);
        bounds[2] = add_tensor(model, one, &end);
        sigma = ae_model_add_value(model, "map", NULL, NULL);
        out = ae_model_add_value(model, "colours", NULL, NULL);
        ae_model_add_node(model, "Slice", "",
                          (int[]){x, bounds[1], bounds[2], axes}, 4, &sigma, 1,
                          NULL);
        ae_model_add_node(model, "Slice", "",
                          (int[]){x, bounds[0], bounds[1], axes}, 4, &out, 1,
                          NULL);
        x = out;
    }
    ae_model_add_output(model, add_node(model, "Sub", x, sigma, NULL));
    if (said != NULL)
        ae_model_set(model, "ae.sigma", said);
    return model;
}

/* The root of the mean variance of planes @first to @last. */
static float level_of(const Frame *frame, int first, int last)
{
    float sum = 0;

    for (int i = first; i <= last; i++) {
        const AePlane *plane = &frame->picture.plane[i];
        g_autoptr(AeNoiseLevel) level = ae_noise_level_new(plane->width, NULL);
        float sigma = ae_noise_level_measure(level, plane);

        sum += sigma * sigma;
    }
    return sqrtf(sum / (float)(last - first + 1));
}

static void check_told(const AeImageModel *images,
                       const AePictureFormat *format, float sigma)
{
    static Frame in, out;
    g_autoptr(AeFilter) filter = new_filter(images, format, 1, 2);
    float told;

    make_frame(&in, format);
    fill_random(&in, 21);
    make_frame(&out, format);
    told = ae_filter_run(filter, &in.picture, &out.picture,
                         &(AeFilterSettings){.strength = 1, .sigma = sigma});
    g_assert_cmpfloat_with_epsilon(
        told, sigma > 0 ? sigma : level_of(&in, 0, 2), 0.01f);
    for (int c = 0; c < 3; c++) {
        const AePlane *plane = &in.picture.plane[c];
        float level = sigma > 0               ? sigma
                      : images->channels == 3 ? level_of(&in, 0, 2)
                                              : level_of(&in, c, c);

        for (int k = 0; k < plane->stride * plane->height; k++)
            g_assert_cmpfloat_with_epsilon(
                out.samples[c][k], MAX(in.samples[c][k] - level, 0), 0.51f);
    }
}

/* A model is told the level of the noise, of each image. */
static void test_sigma(void)
{
    const AePictureFormat formats[] = {rgb(40, 32), yuv420(40, 32)};

    for (int i = 0; i < 10; i++) {
        const int channels = i / 2 % 2 || i == 9 ? 3 : 1;
        g_autoptr(AeImageModel) images =
            images_of(subtract(channels, i % 2 || i == 8, i >= 8,
                               i < 4 || i >= 8 ? NULL
                               : i % 2         ? "level"
                                               : AE_SIGMA_CHANNEL));

        for (int k = 0; k < (channels == 3 ? 1 : 2); k++) {
            check_told(images, &formats[k], 20);
            check_told(images, &formats[k], 0);
        }
    }
}

static void test_refuses_sigma(void)
{
    g_autoptr(AeModel) model = subtract(3, TRUE, FALSE, AE_SIGMA_CHANNEL);
    g_autoptr(GError) error = NULL;

    g_assert_null(ae_image_model_new(model, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
    g_assert_nonnull(strstr(error->message, "ae.sigma=channel"));
}

static void test_refuses_inputs(void)
{
    static const struct {
        const char *state, *message;
    } cases[] = {{"past_y", "ae.state=past_y, where pairs"},
                 {"past_y=z", "ae.state=past_y=z, where pairs"}};
    g_autoptr(AeModel) other = decay(NULL, -1);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AeModel) model = decay(cases[i].state, -1);
        g_autoptr(GError) error = NULL;

        g_assert_null(ae_image_model_new(model, &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
    g_array_set_size(other->outputs, 1);
    g_autoptr(GError) error = NULL;

    g_assert_null(ae_image_model_new(other, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_SHAPE);
    g_assert_nonnull(strstr(error->message, "an input 'past_y' beside"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/filter/states", test_states);
    g_test_add_func("/filter/sigma", test_sigma);
    g_test_add_func("/filter/refuses-sigma", test_refuses_sigma);
    g_test_add_func("/filter/refuses-inputs", test_refuses_inputs);
    g_test_add_func("/filter/orders", test_orders);
    g_test_add_func("/filter/valid", test_valid);
    g_test_add_func("/filter/tiles", test_tiles);
    g_test_add_func("/filter/small-picture", test_small_picture);
    g_test_add_func("/filter/bytes", test_bytes);
    g_test_add_func("/filter/refuses-tiles", test_refuses_tiles);
    g_test_add_func("/filter/copies", test_copies);
    g_test_add_func("/filter/planes-are-gray-pictures",
                    test_planes_are_gray_pictures);
    g_test_add_func("/filter/fields-are-pictures", test_fields_are_pictures);
    g_test_add_func("/filter/threads-do-not-matter",
                    test_threads_do_not_matter);
    g_test_add_func("/filter/bits", test_bits);
    g_test_add_func("/filter/enlarges", test_enlarges);
    g_test_add_func("/filter/fits", test_fits);
    g_test_add_func("/filter/refuses", test_refuses);
    g_test_add_func("/filter/huge", test_huge);
    return g_test_run();
}
