/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A white sheet without edges, for drawing with Cairo: it becomes a picture as
 * large as what was drawn. Coordinates are pixels, x to the right and y down;
 * their origin may lie anywhere. Text is black, sans serif, and UTF-8. */
#pragma once

#include <cairo.h>

#include "data/png.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(cairo_t, cairo_destroy)

/* Heights of text in pixels, and the white edge of every picture. */
enum { AE_TEXT = 17, AE_SMALL_TEXT = 12, AE_CANVAS_EDGE = 8 };

/* An empty sheet with text of AE_TEXT pixels; free with cairo_destroy(). */
cairo_t *ae_canvas_new(void);

/* The picture: gray if nothing on the sheet has a colour, else RGB. Errors:
 * AE_ERROR_VALUE if the picture is larger than Cairo allows (32,767 pixels a
 * side). */
AeImage *ae_canvas_render(cairo_t *canvas, GError **error);

double ae_canvas_text_width(cairo_t *canvas, const char *text);

/* One line of text. @y is the middle of its height; @x is its left edge with
 * @align 0, its middle with 0.5, its right edge with 1. */
void ae_canvas_text(cairo_t *canvas, double x, double y, double align,
                    const char *text);

/* @image with its left top corner at (@left, @top), each pixel a square of
 * @zoom pixels. */
void ae_canvas_image(cairo_t *canvas, int left, int top, const AeImage *image,
                     int zoom);

/* A filled rectangle in the source colour, with hard edges. */
void ae_canvas_box(cairo_t *canvas, int left, int top, int width, int height);

/* Sets the source to a shade of gray, from 0 (black) to 1 (white). */
void ae_canvas_set_gray(cairo_t *canvas, double shade);

/* Sets the source to the colour of class @i: ten colours, which then repeat. */
void ae_canvas_set_class(cairo_t *canvas, int i);

/* The colour of a signed value: -1 is blue, 0 white, 1 red. */
void ae_colour_diverging(double value, uint8_t rgb[3]);
