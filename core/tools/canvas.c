/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sheet is a recording surface of Cairo: drawing is stored, so that the
 * size of the picture need not be known before. */
#include "tools/canvas.h"

#include <math.h>

#include "base/error.h"

/* Petroff, "Accessible color sequences for data visualization",
 * arXiv:2107.02270 (2021), the sequence of ten, optimised for people with
 * deficient colour vision as well. */
static const uint8_t classes[][3] = {
    {0x3f, 0x90, 0xda}, {0xff, 0xa9, 0x0e}, {0xbd, 0x1f, 0x01},
    {0x94, 0xa4, 0xa2}, {0x83, 0x2d, 0xb6}, {0xa9, 0x6b, 0x59},
    {0xe7, 0x63, 0x00}, {0xb9, 0xac, 0x70}, {0x71, 0x75, 0x81},
    {0x92, 0xda, 0xdd},
};

/* BuRd of Tol, "Colour schemes", SRON/EPS/TN/09-002 (2021), after ColorBrewer:
 * safe for all kinds of colour vision. */
static const uint8_t diverging[][3] = {
    {0x21, 0x66, 0xac}, {0x43, 0x93, 0xc3}, {0x92, 0xc5, 0xde},
    {0xd1, 0xe5, 0xf0}, {0xf7, 0xf7, 0xf7}, {0xfd, 0xdb, 0xc7},
    {0xf4, 0xa5, 0x82}, {0xd6, 0x60, 0x4d}, {0xb2, 0x18, 0x2b},
};

/* Pixel @x of row @y of an RGB surface: 0xRRGGBB, and 8 bits without use. */
static uint32_t *pixel_at(cairo_surface_t *surface, int x, int y)
{
    return (uint32_t *)(void *)(cairo_image_surface_get_data(surface) +
                                (gsize)y *
                                    cairo_image_surface_get_stride(surface)) +
           x;
}

static AeImage *image_from(cairo_surface_t *surface, GError **error)
{
    const int width = cairo_image_surface_get_width(surface);
    const int height = cairo_image_surface_get_height(surface);
    gboolean gray = TRUE;
    AeImage *image;
    uint8_t *next;

    for (int i = 0; i < width * height && gray; i++) {
        uint32_t pixel = *pixel_at(surface, i % width, i / width);

        gray = (pixel & 0xffff) == (pixel >> 8 & 0xffff);
    }
    image = ae_image_new(width, height, gray ? 1 : 3, error);
    if (image == NULL)
        return NULL;
    next = image->pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int shift = gray ? 0 : 16; shift >= 0; shift -= 8)
                *next++ = (uint8_t)(*pixel_at(surface, x, y) >> shift);
    return image;
}

cairo_t *ae_canvas_new(void)
{
    cairo_surface_t *surface =
        cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, NULL);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_t *canvas = cairo_create(surface);

    /* The user's settings for screens must not change pictures. */
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(canvas, options);
    cairo_font_options_destroy(options);
    cairo_surface_destroy(surface);
    cairo_select_font_face(canvas, "sans", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(canvas, AE_TEXT);
    return canvas;
}

AeImage *ae_canvas_render(cairo_t *canvas, GError **error)
{
    double left, top, width, height;
    AeImage *image = NULL;
    cairo_surface_t *surface;
    cairo_t *target;

    if (cairo_status(canvas) != CAIRO_STATUS_SUCCESS) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "a part of the picture cannot be drawn: %s",
                    cairo_status_to_string(cairo_status(canvas)));
        return NULL;
    }
    cairo_recording_surface_ink_extents(cairo_get_target(canvas), &left, &top,
                                        &width, &height);
    width = ceil(left + width) - floor(left) + 2 * AE_CANVAS_EDGE;
    height = ceil(top + height) - floor(top) + 2 * AE_CANVAS_EDGE;
    surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24,
                                         (int)MIN(width, G_MAXINT),
                                         (int)MIN(height, G_MAXINT));
    target = cairo_create(surface);
    ae_canvas_set_gray(target, 1);
    cairo_paint(target);
    cairo_set_source_surface(target, cairo_get_target(canvas),
                             AE_CANVAS_EDGE - floor(left),
                             AE_CANVAS_EDGE - floor(top));
    cairo_paint(target);
    cairo_surface_flush(surface);
    if (cairo_status(target) == CAIRO_STATUS_SUCCESS)
        image = image_from(surface, error);
    else
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "a picture of %.0fx%.0f pixels cannot be drawn: %s", width,
                    height, cairo_status_to_string(cairo_status(target)));
    cairo_destroy(target);
    cairo_surface_destroy(surface);
    return image;
}

double ae_canvas_text_width(cairo_t *canvas, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    cairo_text_extents_t extents;

    cairo_text_extents(canvas, valid, &extents);
    return extents.x_advance;
}

void ae_canvas_text(cairo_t *canvas, double x, double y, double align,
                    const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    cairo_text_extents_t digit;

    cairo_text_extents(canvas, "0", &digit);
    cairo_move_to(canvas, x - align * ae_canvas_text_width(canvas, text),
                  y + digit.height / 2);
    ae_canvas_set_gray(canvas, 0);
    cairo_show_text(canvas, valid);
}

void ae_canvas_image(cairo_t *canvas, int left, int top, const AeImage *image,
                     int zoom)
{
    const uint8_t *next = image->pixels;
    const int g = image->channels == 3 ? 1 : 0, b = 2 * g;
    cairo_surface_t *surface = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, image->width, image->height);

    /* Cairo has no surface of more than 32767 pixels a side. One with an error
     * gives it to the canvas, where ae_canvas_render() finds it. */
    gboolean good = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;

    for (int y = 0; good && y < image->height; y++)
        for (int x = 0; x < image->width; x++, next += image->channels)
            *pixel_at(surface, x, y) =
                (uint32_t)(next[0] << 16 | next[g] << 8 | next[b]);
    cairo_surface_mark_dirty(surface);
    cairo_save(canvas);
    cairo_translate(canvas, left, top);
    cairo_scale(canvas, zoom, zoom);
    cairo_set_source_surface(canvas, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(canvas), CAIRO_FILTER_NEAREST);
    cairo_rectangle(canvas, 0, 0, image->width, image->height);
    cairo_fill(canvas);
    cairo_restore(canvas);
    cairo_surface_destroy(surface);
}

void ae_canvas_box(cairo_t *canvas, int left, int top, int width, int height)
{
    cairo_rectangle(canvas, left, top, width, height);
    cairo_fill(canvas);
}

void ae_canvas_set_gray(cairo_t *canvas, double shade)
{
    cairo_set_source_rgb(canvas, shade, shade, shade);
}

void ae_canvas_set_class(cairo_t *canvas, int i)
{
    const uint8_t *rgb = classes[i % (int)G_N_ELEMENTS(classes)];

    cairo_set_source_rgb(canvas, rgb[0] / 255.0, rgb[1] / 255.0,
                         rgb[2] / 255.0);
}

void ae_colour_diverging(double value, uint8_t rgb[3])
{
    double at = (CLAMP(value, -1, 1) + 1) / 2 * (G_N_ELEMENTS(diverging) - 1);
    int i = MIN((int)at, (int)G_N_ELEMENTS(diverging) - 2);

    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)lrint(
            diverging[i][c] +
            (at - i) * (diverging[i + 1][c] - (double)diverging[i][c]));
}
