/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures: what lies where, in levels and colours that are counted. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "tools/figure.h"

/* The picture of @canvas, which is freed. */
static AeImage *render(cairo_t *canvas)
{
    g_autoptr(GError) error = NULL;
    AeImage *image = ae_canvas_render(canvas, &error);

    g_assert_no_error(error);
    cairo_destroy(canvas);
    return image;
}

static AeImage *draw_grid(AeImage *const *images, int rows, int columns,
                          const char *const *captions,
                          const char *const *row_captions, int zoom)
{
    cairo_t *canvas = ae_canvas_new();

    ae_figure_grid(canvas, images, rows, columns, captions, row_captions, zoom);
    return render(canvas);
}

static int count(const AeImage *image, uint8_t level)
{
    int n = 0;

    for (int i = 0; i < image->width * image->height * image->channels; i++)
        n += image->pixels[i] == level;
    return n;
}

static const uint8_t *pixel(const AeImage *image, int x, int y)
{
    return image->pixels + (y * image->width + x) * image->channels;
}

/* Two by two, one empty, gray and RGB: every pixel is where it belongs. */
static void test_grid(void)
{
    g_autoptr(AeImage) gray = ae_image_new(3, 2, 1, NULL);
    g_autoptr(AeImage) colour = ae_image_new(2, 2, 3, NULL);
    AeImage *const images[] = {gray, colour, NULL, gray};
    const int edge = AE_CANVAS_EDGE;

    memset(gray->pixels, 7, 6);
    for (int i = 0; i < 12; i++)
        colour->pixels[i] = (uint8_t)(50 + i % 3);
    g_autoptr(AeImage) figure = draw_grid(images, 2, 2, NULL, NULL, 5);
    g_assert_cmpint(figure->channels, ==, 3);
    g_assert_cmpint(figure->width, ==, 2 * edge + 4 + 2 * 15);
    g_assert_cmpint(figure->height, ==, 2 * edge + 4 + 2 * 10);
    g_assert_cmpint(count(figure, 7), ==, 2 * 6 * 25 * 3);
    for (int c = 0; c < 3; c++) {
        g_assert_cmpint(count(figure, (uint8_t)(50 + c)), ==, 4 * 25);
        g_assert_cmpint(pixel(figure, edge, edge)[c], ==, 7);
        g_assert_cmpint(pixel(figure, edge + 21, edge)[c], ==, 50 + c);
        g_assert_cmpint(pixel(figure, edge, edge + 14)[c], ==, 255);
    }
}

/* Captions are text above and at the left, in pictures that stay gray; a long
 * one makes its column wider; text that is not UTF-8 is drawn as well. */
static void test_captions(void)
{
    static const char *const captions[] = {"I", NULL};
    static const char *const long_ones[] = {"twenty characters ok", "\xff"};
    static const char *const rows[] = {"I"};
    g_autoptr(AeImage) image = ae_image_new(20, 40, 1, NULL);
    AeImage *const images[] = {image, NULL};

    memset(image->pixels, 99, 800);
    g_autoptr(AeImage) plain = draw_grid(images, 1, 2, NULL, NULL, 1);
    g_autoptr(AeImage) above = draw_grid(images, 1, 2, captions, NULL, 1);
    g_autoptr(AeImage) left = draw_grid(images, 1, 2, NULL, rows, 1);
    g_autoptr(AeImage) wide = draw_grid(images, 1, 2, long_ones, NULL, 1);
    g_assert_cmpint(above->channels, ==, 1);
    g_assert_cmpint(above->width, ==, plain->width);
    g_assert_cmpint(above->height, >, plain->height + 8);
    g_assert_cmpint(count(above, 99), ==, 800);
    g_assert_cmpint(count(above, 0), >, 0);
    g_assert_cmpint(left->height, ==, plain->height);
    g_assert_cmpint(left->width, >, plain->width + 4);
    g_assert_cmpint(count(left, 0), >, 0);
    g_assert_cmpint(wide->width, >, 2 * AE_CANVAS_EDGE + 2 * 80);
}

/* An image that no surface can hold is an error, too. */
static void test_too_large_an_image(void)
{
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    g_autoptr(AeImage) image = ae_image_new(32768, 2, 1, NULL);
    g_autoptr(GError) error = NULL;

    ae_canvas_image(canvas, 0, 0, image, 1);
    g_assert_null(ae_canvas_render(canvas, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
}

/* A picture that no surface can hold is an error. */
static void test_too_large(void)
{
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    g_autoptr(GError) error = NULL;

    ae_canvas_box(canvas, 0, 0, 1, 1);
    ae_canvas_box(canvas, 99999, 0, 1, 1);
    g_assert_null(ae_canvas_render(canvas, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, "100016x17 pixels"));
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

static AeImage *draw_scatter(const AeTensor *const *panels, int n,
                             const char *const *captions, const uint8_t *labels)
{
    cairo_t *canvas = ae_canvas_new();

    ae_figure_scatter(canvas, panels, n, captions, labels);
    return render(canvas);
}

static void test_scatter(void)
{
    static const char *const captions[] = {"one", "two"};
    const int legend = 48; /* its width, less than in full */
    uint8_t labels[100];
    g_autoptr(AeTensor) codes = make_rings(3, labels);
    const AeTensor *const panels[] = {codes, codes};
    g_autoptr(AeImage) one = draw_scatter(panels, 1, NULL, labels);
    g_autoptr(AeImage) two = draw_scatter(panels, 2, captions, labels);
    const int right = one->width - legend;
    Cloud low = find(one, blue, right), high = find(one, yellow, right);

    g_assert_cmpint(low.n, >, 50);
    g_assert_cmpint(high.n, >, 50);
    g_assert_cmpfloat(low.x + 100, <, high.x);
    g_assert_cmpfloat(low.y, >, high.y + 100);
    g_assert_cmpint(find(one, red, one->width).n, ==, 0);
    g_assert_cmpint(find(one, blue, one->width).n, >, low.n); /* legend */
    g_assert_cmpint(two->width, >, one->width + 540);
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
        g_autoptr(AeImage) figure = draw_scatter(panels, 1, NULL, labels);
        g_assert_nonnull(figure);
        codes->data[0] = codes->data[1] = NAN;
        g_autoptr(AeImage) again = draw_scatter(panels, 1, NULL, labels);
        g_assert_cmpint(again->width, ==, figure->width);
    }
}

enum { RIGHT = 820 }; /* Lines end left of it, and the legend lies right. */

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

static AeImage *draw_curves(const AeCurve *curves, int n)
{
    cairo_t *canvas = ae_canvas_new();

    ae_figure_curves(canvas, curves, n);
    return render(canvas);
}

static void test_curves(void)
{
    AeCurve curves[] = {make_curve("a", 3, 2), make_curve("b", 2, 1)};
    const AeCurvePoint point = {10, 1e9}, outside = {100, 1.5};
    g_autoptr(AeImage) plain = draw_curves(curves, 2);
    Cloud high = find(plain, blue, RIGHT), low = find(plain, yellow, RIGHT);

    g_assert_cmpint(high.n, >, 500);
    g_assert_cmpint(low.n, >, 500);
    g_assert_cmpfloat(high.y + 50, <, low.y);
    /* Dashes widen the legend; they fall from above the top. */
    g_array_append_val(curves[0].validation, point);
    g_array_append_val(curves[0].validation, outside);
    g_autoptr(AeImage) dashed = draw_curves(curves, 2);
    g_assert_cmpint(dashed->width, >, plain->width);
    g_assert_cmpint(find(dashed, blue, RIGHT).n, >, 0);
    free_curve(&curves[0]);
    free_curve(&curves[1]);
}

/* A loss that stays, and one that is never finite. */
static void test_flat_curves(void)
{
    AeCurve flat = make_curve("flat", 1, 1), broken = make_curve("nan", NAN, 1);
    g_autoptr(AeImage) line = draw_curves(&flat, 1);
    g_autoptr(AeImage) nothing = draw_curves(&broken, 1);

    g_assert_cmpint(find(line, blue, RIGHT).n, >, 500);
    g_assert_cmpint(find(nothing, blue, RIGHT).n, ==, 0);
    free_curve(&flat);
    free_curve(&broken);
}

static AeImage *draw_weights(const float *tiles, int n, int height, int width,
                             int columns, int zoom)
{
    cairo_t *canvas = ae_canvas_new();

    g_assert_true(ae_figure_weights(canvas, tiles, n, height, width, columns,
                                    zoom, NULL));
    return render(canvas);
}

/* Ends of the scale of few weights are the largest one; the bar shows a row of
 * 20 pixels of each. Of many weights a single one does not count. */
static void test_weights(void)
{
    static const uint8_t end_red[] = {0xb2, 0x18, 0x2b},
                         end_blue[] = {0x21, 0x66, 0xac};
    static const float tiles[] = {0.5f, -0.5f, 0, 0.25f, -0.5f, -0.25f};
    g_autoptr(AeImage) figure = draw_weights(tiles, 3, 1, 2, 2, 5);
    g_autoptr(AeImage) zero = draw_weights(tiles + 2, 1, 1, 1, 1, 5);
    const int all = figure->width;

    g_assert_cmpint(find(figure, end_red, all).n, ==, 25 + 20);
    g_assert_cmpint(find(figure, end_blue, all).n, ==, 2 * 25 + 20);
    g_assert_cmpint(find(zero, end_red, zero->width).n, ==, 20);

    float many[600];
    for (int i = 0; i < 600; i++)
        many[i] = i == 0 ? 1000 : i < 300 ? 1 : -1;
    g_autoptr(AeImage) fair = draw_weights(many, 1, 20, 30, 1, 1);
    g_assert_cmpint(find(fair, end_red, fair->width).n, ==, 300 + 20);
    g_assert_cmpint(find(fair, end_blue, fair->width).n, ==, 300 + 20);
}

/* Rows are z0, columns z1: images lie in their order, without a gap. */
static void test_manifold(void)
{
    cairo_t *canvas = ae_canvas_new();
    AeImage *images[4];
    Cloud clouds[4];

    for (int i = 0; i < 4; i++) {
        images[i] = ae_image_new(30, 20, 3, NULL);
        for (int j = 0; j < 600; j++)
            images[i]->pixels[3 * j] = (uint8_t)(50 + i);
    }
    ae_figure_manifold(canvas, images, 2, 1.5, 3);
    g_autoptr(AeImage) figure = render(canvas);
    for (int i = 0; i < 4; i++) {
        clouds[i] = find(figure, images[i]->pixels, figure->width);
        g_assert_cmpint(clouds[i].n, ==, 600 * 9);
        g_assert_cmpfloat(clouds[i].x - clouds[0].x, ==, i % 2 * 90);
        g_assert_cmpfloat(clouds[i].y - clouds[0].y, ==, i / 2 * 60);
        ae_image_free(images[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/figure/grid", test_grid);
    g_test_add_func("/figure/captions", test_captions);
    g_test_add_func("/figure/too-large", test_too_large);
    g_test_add_func("/figure/too-large-an-image", test_too_large_an_image);
    g_test_add_func("/figure/scatter", test_scatter);
    g_test_add_func("/figure/scatter-extremes", test_scatter_extremes);
    g_test_add_func("/figure/curves", test_curves);
    g_test_add_func("/figure/flat-curves", test_flat_curves);
    g_test_add_func("/figure/weights", test_weights);
    g_test_add_func("/figure/manifold", test_manifold);
    return g_test_run();
}
