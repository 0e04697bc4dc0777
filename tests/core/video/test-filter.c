/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ae.h"
#include "base/random.h"
#include "networks/architectures.h"

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

        frame->picture.plane[i] =
            (AePlane){frame->samples[i], width * bytes, bytes, width, height,
                      format->bits};
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

static AeFilter *new_filter(AeModel *model, const AePictureFormat *format,
                            int scale, int threads)
{
    g_autoptr(GError) error = NULL;
    AeFilter *filter = ae_filter_new(
        model, format, &(AeFilterOptions){scale, threads, AE_PRECISION_FP32},
        &error);

    g_assert_no_error(error);
    return filter;
}

static AeModel *load(const char *name)
{
    g_autoptr(GError) error = NULL;
    AeModel *model = ae_builtin_load(name, &error);

    g_assert_no_error(error);
    return model;
}

static void run(const char *name, const Frame *in, Frame *out, float strength)
{
    g_autoptr(AeModel) model = load(name);
    g_autoptr(AeFilter) filter = new_filter(model, &in->picture.format, 1, 2);

    make_frame(out, &in->picture.format);
    ae_filter_run(filter, &in->picture, &out->picture,
                  &(AeFilterSettings){.strength = strength});
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
    g_autoptr(AeModel) model = load("medium");

    make_frame(&in, &format);
    fill_random(&in, 4);
    for (int i = 0; i < 3; i++) {
        g_autoptr(AeFilter) filter = new_filter(model, &format, 1, i + 1);

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
    g_autoptr(AeModel) model = ae_architecture_new(
        "nearest", &(AeArchitectureOptions){.scale = 3}, &error);
    AePictureFormat small = gray(W, H, 8), large = gray(3 * W, 3 * H, 8);

    g_assert_no_error(error);
    g_assert_cmpint(ae_filter_channels(model, NULL), ==, 1);
    g_assert_cmpint(ae_filter_scale(model, NULL), ==, 3);

    g_autoptr(AeFilter) filter = new_filter(model, &small, 3, 1);

    make_frame(&in, &small);
    fill_random(&in, 6);
    make_frame(&out, &large);
    make_frame(&expected, &large);
    ae_filter_run(filter, &in.picture, &out.picture,
                  &(AeFilterSettings){.strength = 1});
    ae_picture_enlarge(&expected.picture, &in.picture, 3);
    assert_same_plane(&out, &expected, 0);
}

static void test_fits(void)
{
    g_autoptr(AeModel) model = load("light");
    AePictureFormat format = yuv420(32, 16), other = format;
    g_autoptr(AeFilter) filter = new_filter(model, &format, 1, 1);

    g_assert_true(ae_filter_fits(filter, &other));
    other.width = 34;
    g_assert_false(ae_filter_fits(filter, &other));
    other = format;
    other.fields = AE_FIELDS_INTERLEAVED;
    g_assert_false(ae_filter_fits(filter, &other));
}

/* A model for another upscaling factor is refused. */
static void test_refuses(void)
{
    g_autoptr(AeModel) model = load("superres2");
    g_autoptr(GError) error = NULL;
    AePictureFormat format = gray(16, 16, 8);

    g_assert_null(ae_filter_new(
        model, &format, &(AeFilterOptions){1, 1, AE_PRECISION_FP32}, &error));
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
    g_autoptr(AeModel) model = load("light");
    g_autoptr(AeModel) larger = load("superres4");

    for (size_t i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        const int width = cases[i / 2].width, height = cases[i / 2].height;
        AePictureFormat format =
            i % 2 ? yuv420(width, height) : gray(width, height, 8);
        g_autoptr(GError) error = NULL, none = NULL;

        g_assert_null(ae_filter_new(model, &format,
                                    &(AeFilterOptions){1, 1, AE_PRECISION_FP32},
                                    &error));
        if (strstr(error->message, cases[i / 2].sentence) == NULL)
            g_error("%dx%d: %s", width, height, error->message);
        g_assert_null(ae_filter_new(larger, &format,
                                    &(AeFilterOptions){4, 1, AE_PRECISION_FP32},
                                    &none));
        g_assert_nonnull(none);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
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
