/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ae.h"
#include "data/png.h"

#include <glib/gstdio.h>
#include <png.h>
#include <string.h>

static char *folder;

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static AeImage *pattern(int width, int height, int channels)
{
    AeImage *image = ae_image_new(width, height, channels, NULL);

    for (int i = 0; i < width * height * channels; i++)
        image->pixels[i] = (uint8_t)(i * 37 + i / 7);
    return image;
}

static void test_round_trip(void)
{
    static const struct {
        int width, height, channels;
    } cases[] = {{1, 1, 1}, {1, 1, 3}, {17, 5, 1}, {5, 17, 3}, {300, 2, 3}};
    g_autofree char *path = path_of("image.png");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AeImage) image =
            pattern(cases[i].width, cases[i].height, cases[i].channels);
        ae_image_save_png(image, path, &error);
        g_assert_no_error(error);
        g_autoptr(AeImage) read = ae_image_load_png(path, &error);
        g_assert_no_error(error);
        g_assert_cmpint(read->width, ==, image->width);
        g_assert_cmpint(read->height, ==, image->height);
        g_assert_cmpint(read->channels, ==, image->channels);
        size_t size = (size_t)(image->width * image->height * image->channels);
        g_assert_cmpmem(read->pixels, size, image->pixels, size);
    }
    g_remove(path);
}

/* PNG files of kinds that we do not write, one pixel each: made by libpng. */
static const struct {
    int type, depth;
    gboolean interlaced;
    uint8_t row[8];
    int channels;
    uint8_t pixel[3];
} kinds[] = {
    {PNG_COLOR_TYPE_GRAY, 1, FALSE, {0x80}, 1, {255}},
    {PNG_COLOR_TYPE_GRAY, 4, FALSE, {0x50}, 1, {0x55}},
    {PNG_COLOR_TYPE_GRAY, 16, FALSE, {0x12, 0xff}, 1, {0x13}},
    {PNG_COLOR_TYPE_GRAY, 8, TRUE, {77}, 1, {77}},
    {PNG_COLOR_TYPE_GRAY_ALPHA, 8, FALSE, {9, 3}, 1, {9}},
    {PNG_COLOR_TYPE_RGB_ALPHA, 8, FALSE, {1, 2, 3, 0}, 3, {1, 2, 3}},
    {PNG_COLOR_TYPE_RGB, 16, TRUE, {1, 2, 3, 4, 5, 6}, 3, {1, 3, 5}},
    {PNG_COLOR_TYPE_PALETTE, 2, FALSE, {0x40}, 3, {40, 50, 60}},
};

static void write_kind(const char *path, size_t i)
{
    static const png_color colours[] = {{10, 20, 30}, {40, 50, 60}};
    static const png_byte alpha[] = {0, 128};
    FILE *file = g_fopen(path, "wb");
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_const_bytep row = kinds[i].row;

    png_init_io(png, file);
    png_set_IHDR(png, info, 1, 1, kinds[i].depth, kinds[i].type,
                 kinds[i].interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_gAMA(png, info, 1.0); /* must change nothing */
    if (kinds[i].type == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, colours, 2);
        png_set_tRNS(png, info, alpha, 2, NULL);
    }
    png_write_info(png, info);
    png_bytep rows[] = {(png_bytep)row};
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    fclose(file);
}

static void test_kinds(void)
{
    g_autofree char *path = path_of("kind.png");

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GError) error = NULL;
        write_kind(path, i);
        g_autoptr(AeImage) image = ae_image_load_png(path, &error);
        g_assert_no_error(error);
        g_assert_cmpint(image->channels, ==, kinds[i].channels);
        for (int c = 0; c < image->channels; c++)
            g_assert_cmpint(image->pixels[c], ==, kinds[i].pixel[c]);
    }
    g_remove(path);
}

static void write_bytes(const char *path, const char *bytes, gsize size)
{
    FILE *file = g_fopen(path, "wb");

    g_assert_cmpuint(fwrite(bytes, 1, size, file), ==, size);
    fclose(file);
}

/* Cut off anywhere before the last chunk, or with any byte changed: an error
 * or an image, never a crash. */
static void test_damaged(void)
{
    g_autofree char *path = path_of("damaged.png");
    g_autoptr(AeImage) image = pattern(9, 6, 3);
    g_autofree char *bytes = NULL;
    gsize size;

    g_assert_true(ae_image_save_png(image, path, NULL));
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    for (gsize n = 0; n < size; n++) {
        g_autoptr(GError) error = NULL;
        write_bytes(path, bytes, n);
        g_assert_null(ae_image_load_png(path, &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
        g_assert_nonnull(strstr(error->message, path));
    }
    for (gsize n = 0; n < size; n++) {
        g_autoptr(GError) error = NULL;
        bytes[n] ^= 0x55;
        write_bytes(path, bytes, size);
        g_autoptr(AeImage) read = ae_image_load_png(path, &error);
        g_assert_true((read == NULL) == (error != NULL));
        bytes[n] ^= 0x55;
    }
    g_remove(path);
}

/* A small file that claims a huge image is refused before memory is taken. */
static void test_hostile(void)
{
    static const uint8_t header[] = {
        0x89, 'P',  'N',  'G',  13,   10, 26, 10, 0,    0,   0,   13,  'I', 'H',
        'D',  'R',  0,    0,    0x80, 0,  0,  0,  0x80, 0,   8,   0,   0,   0,
        0,    0xe1, 0x17, 0xfc, 0xa3, 0,  0,  0,  1,    'I', 'D', 'A', 'T'};
    g_autofree char *path = path_of("hostile.png");
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, (const char *)header, sizeof header, NULL);
    g_assert_null(ae_image_load_png(path, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
    g_assert_nonnull(strstr(error->message, "too short"));
    g_remove(path);
}

static void test_missing(void)
{
    g_autofree char *path = path_of("none.png");
    g_autofree char *below = path_of("none/none.png");
    g_autoptr(AeImage) image = pattern(2, 2, 1);
    g_autoptr(GError) error = NULL;

    g_assert_null(ae_image_load_png(path, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_FILE);
    g_clear_error(&error);
    g_assert_false(ae_image_save_png(image, below, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_FILE);
}

int main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("image-XXXXXX", NULL);
    g_test_add_func("/image/round-trip", test_round_trip);
    g_test_add_func("/image/kinds", test_kinds);
    g_test_add_func("/image/damaged", test_damaged);
    g_test_add_func("/image/hostile", test_hostile);
    g_test_add_func("/image/missing", test_missing);
    result = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
