/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures: what lies where, in levels and colours that are counted. */
#include "ae.h"

#include <math.h>
#include <string.h>

/* Two serifs of three pixels and five between, doubled, and a pixel that rounds
 * each of four inner corners. */
#define LETTER_I (11 * 4 + 4)

static int count(const AeImage *image, uint8_t level)
{
    int n = 0;

    for (int i = 0; i < image->width * image->height * image->channels; i++)
        n += image->pixels[i] == level;
    return n;
}

/* Two by two, one empty, gray and RGB: every pixel is where it belongs. */
static void test_grid(void)
{
    g_autoptr(AeImage) gray = ae_image_new(3, 2, 1);
    g_autoptr(AeImage) colour = ae_image_new(2, 2, 3);
    AeImage *const images[] = {gray, colour, NULL, gray};

    memset(gray->pixels, 7, 6);
    memset(colour->pixels, 9, 12);
    g_autoptr(AeImage) figure = ae_figure_grid(images, 2, 2, NULL, NULL, 5);
    g_assert_cmpint(figure->channels, ==, 3);
    g_assert_cmpint(figure->width, ==, 3 * 4 + 2 * 15);
    g_assert_cmpint(figure->height, ==, 3 * 4 + 2 * 10);
    g_assert_cmpint(count(figure, 7), ==, 2 * 6 * 25 * 3);
    g_assert_cmpint(count(figure, 9), ==, 4 * 25 * 3);
    g_assert_cmpint(figure->pixels[(4 * figure->width + 4) * 3], ==, 7);
    g_assert_cmpint(figure->pixels[(4 * figure->width + 23) * 3], ==, 9);
    g_assert_cmpint(figure->pixels[(20 * figure->width + 4) * 3], ==, 255);
}

/* Captions take ink, are larger where there is room, and fit their cells. */
static void test_captions(void)
{
    static const char *const captions[] = {"I", NULL};
    static const char *const long_ones[] = {"twenty characters ok", "\xc3\xa9"};
    g_autoptr(AeImage) image = ae_image_new(20, 4, 1);
    AeImage *const images[] = {image, NULL};

    memset(image->pixels, 99, 80);
    g_autoptr(AeImage) figure = ae_figure_grid(images, 1, 2, captions, NULL, 1);
    g_assert_cmpint(count(figure, 0), ==, LETTER_I);
    g_assert_cmpint(figure->height, ==, 3 * 4 + 16 + 4);
    g_autoptr(AeImage) wide = ae_figure_grid(images, 1, 2, long_ones, NULL, 1);
    g_assert_cmpint(wide->width, ==, 3 * 4 + 2 * 20 * 6);
    g_assert_cmpint(wide->height, ==, 3 * 4 + 8 + 4);
}

/* Captions at the left move the images by their width. */
static void test_row_captions(void)
{
    static const char *const captions[] = {"I", "II"};
    const int left = 4 + 2 * 12 + 4;
    g_autoptr(AeImage) image = ae_image_new(20, 30, 1);
    AeImage *const images[] = {image, image};

    memset(image->pixels, 99, 600);
    g_autoptr(AeImage) figure = ae_figure_grid(images, 2, 1, NULL, captions, 1);
    g_assert_cmpint(figure->width, ==, left + 20 + 4);
    g_assert_cmpint(count(figure, 0), ==, 3 * LETTER_I);
    g_assert_cmpint(count(figure, 99), ==, 2 * 600);
    g_assert_cmpint(figure->pixels[4 * figure->width + left], ==, 99);
}

static const uint8_t blue[] = {0x3f, 0x90, 0xda}, yellow[] = {0xff, 0xa9, 0x0e},
                     red[] = {0xbd, 0x1f, 0x01};

/* Pixels of a colour, and where they are on average. */
typedef struct {
    int n;
    double x, y;
} Cloud;

/* Left of @right alone. */
static Cloud find(const AeImage *image, const uint8_t *colour, int right)
{
    Cloud cloud = {0};

    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < right; x++)
            if (memcmp(image->pixels + (y * image->width + x) * 3, colour, 3) ==
                0) {
                cloud.n++;
                cloud.x += x;
                cloud.y += y;
            }
    cloud.x /= MAX(cloud.n, 1);
    cloud.y /= MAX(cloud.n, 1);
    return cloud;
}

/* A ring of class 0 about (0, 0), one of class 1 about (10, 20). */
static AeTensor *make_rings(int width, uint8_t *labels)
{
    const AeShape shape = ae_shape(2, 100, width);
    AeTensor *codes = ae_tensor_new(&shape, NULL);

    for (int i = 0; i < 100; i++) {
        labels[i] = i % 2;
        codes->data[i * width] = (float)(10 * (i % 2) + cos(i));
        codes->data[i * width + 1] = (float)(20 * (i % 2) + sin(i));
    }
    return codes;
}

static void test_scatter(void)
{
    static const char *const captions[] = {"one", "two"};
    const int legend = 84;
    uint8_t labels[100];
    g_autoptr(AeTensor) codes = make_rings(3, labels);
    const AeTensor *const panels[] = {codes, codes};
    g_autoptr(AeImage) one = ae_figure_scatter(panels, 1, NULL, labels);
    g_autoptr(AeImage) two = ae_figure_scatter(panels, 2, captions, labels);
    const int right = one->width - legend;
    Cloud low = find(one, blue, right), high = find(one, yellow, right);

    g_assert_cmpint(low.n, >, 50);
    g_assert_cmpint(high.n, >, 50);
    g_assert_cmpfloat(low.x + 100, <, high.x);
    g_assert_cmpfloat(low.y, >, high.y + 100);
    g_assert_cmpint(find(one, red, one->width).n, ==, 0);
    g_assert_cmpint(find(one, blue, one->width).n, >, low.n); /* legend */
    g_assert_cmpint(two->width, ==, 2 * one->width - legend);
    g_assert_cmpint(find(two, blue, two->width - legend).n, ==, 2 * low.n);
}

/* What is not finite is left out; one place is enough for axes. */
static void test_scatter_extremes(void)
{
    static const float numbers[][2] = {
        {NAN, INFINITY}, {1e30f, -1e30f}, {1e-30f, 1e-30f}, {1e6f, 1e6f}};

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        uint8_t labels[100];
        g_autoptr(AeTensor) codes = make_rings(2, labels);
        const AeTensor *const panels[] = {codes};

        for (int j = 0; j < 100; j++)
            memcpy(codes->data + 2 * j, numbers[i], sizeof numbers[i]);
        g_autoptr(AeImage) figure = ae_figure_scatter(panels, 1, NULL, labels);
        g_assert_nonnull(figure);
        codes->data[0] = codes->data[1] = NAN;
        g_autoptr(AeImage) again = ae_figure_scatter(panels, 1, NULL, labels);
        g_assert_cmpint(again->width, ==, figure->width);
    }
}

static AeCurve make_curve(const char *name, double first, double last)
{
    AeCurve curve = {name, g_array_new(FALSE, FALSE, sizeof(AeCurvePoint)),
                     g_array_new(FALSE, FALSE, sizeof(AeCurvePoint))};

    for (int i = 0; i <= 100; i++) {
        AeCurvePoint point = {i, first + (last - first) * i / 100};

        if (i == 50)
            point.value = NAN;
        g_array_append_val(curve.training, point);
    }
    return curve;
}

static void free_curve(AeCurve *curve)
{
    g_array_unref(curve->training);
    g_array_unref(curve->validation);
}

static void test_curves(void)
{
    AeCurve curves[] = {make_curve("a", 3, 2), make_curve("b", 2, 1)};
    const AeCurvePoint point = {10, 1e9}, outside = {100, 1.5};
    g_autoptr(AeImage) plain = ae_figure_curves(curves, 2);
    Cloud high = find(plain, blue, 860), low = find(plain, yellow, 860);

    g_assert_cmpint(high.n, >, 500);
    g_assert_cmpint(low.n, >, 500);
    g_assert_cmpfloat(high.y + 50, <, low.y);
    /* dashes widen the legend; falling from above they begin at the top */
    g_array_append_val(curves[0].validation, point);
    g_array_append_val(curves[0].validation, outside);
    g_autoptr(AeImage) dashed = ae_figure_curves(curves, 2);
    g_assert_cmpint(dashed->width, >, plain->width);
    g_assert_cmpint(find(dashed, blue, 860).n, >, 0);
    free_curve(&curves[0]);
    free_curve(&curves[1]);
}

/* A loss that stays, and one that is never finite. */
static void test_flat_curves(void)
{
    AeCurve flat = make_curve("flat", 1, 1), broken = make_curve("nan", NAN, 1);
    g_autoptr(AeImage) line = ae_figure_curves(&flat, 1);
    g_autoptr(AeImage) nothing = ae_figure_curves(&broken, 1);

    g_assert_cmpint(find(line, blue, 860).n, >, 500);
    g_assert_cmpint(find(nothing, blue, 860).n, ==, 0);
    free_curve(&flat);
    free_curve(&broken);
}

/* Ends of the scale of few weights are the largest one; the bar shows a row of
 * 20 pixels of each. Of many weights a single one does not count. */
static void test_weights(void)
{
    static const uint8_t end_red[] = {0xb2, 0x18, 0x2b},
                         end_blue[] = {0x21, 0x66, 0xac};
    static const float tiles[] = {0.5f, -0.5f, 0, 0.25f, -0.5f, -0.25f};
    g_autoptr(AeImage) figure = ae_figure_weights(tiles, 3, 1, 2, 2, 5);
    g_autoptr(AeImage) zero = ae_figure_weights(tiles + 2, 1, 1, 1, 1, 5);
    const int all = figure->width;

    g_assert_cmpint(find(figure, end_red, all).n, ==, 25 + 20);
    g_assert_cmpint(find(figure, end_blue, all).n, ==, 2 * 25 + 20);
    g_assert_cmpint(find(zero, end_red, zero->width).n, ==, 20);

    float many[600];
    for (int i = 0; i < 600; i++)
        many[i] = i == 0 ? 1000 : i < 300 ? 1 : -1;
    g_autoptr(AeImage) fair = ae_figure_weights(many, 1, 20, 30, 1, 1);
    g_assert_cmpint(find(fair, end_red, fair->width).n, ==, 300 + 20);
    g_assert_cmpint(find(fair, end_blue, fair->width).n, ==, 300 + 20);
}

/* Rows are z0, columns z1: images lie in their order. */
static void test_manifold(void)
{
    AeImage *images[4];

    for (int i = 0; i < 4; i++) {
        images[i] = ae_image_new(30, 20, 1);
        memset(images[i]->pixels, 50 + i, 600);
    }
    g_autoptr(AeImage) figure = ae_figure_manifold(images, 2, 1.5, 3);
    for (int i = 0; i < 4; i++) {
        const uint8_t *first = memchr(figure->pixels, 50 + i,
                                      (size_t)(figure->width * figure->height));
        g_assert_cmpint(count(figure, (uint8_t)(50 + i)), ==, 600 * 9);
        g_assert_cmpint((first - figure->pixels) % figure->width, ==,
                        96 + i % 2 * 90);
        g_assert_cmpint((first - figure->pixels) / figure->width, ==,
                        16 + i / 2 * 60);
    }
    for (int i = 0; i < 4; i++)
        ae_image_free(images[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/figure/grid", test_grid);
    g_test_add_func("/figure/captions", test_captions);
    g_test_add_func("/figure/row-captions", test_row_captions);
    g_test_add_func("/figure/scatter", test_scatter);
    g_test_add_func("/figure/scatter-extremes", test_scatter_extremes);
    g_test_add_func("/figure/curves", test_curves);
    g_test_add_func("/figure/flat-curves", test_flat_curves);
    g_test_add_func("/figure/weights", test_weights);
    g_test_add_func("/figure/manifold", test_manifold);
    return g_test_run();
}
