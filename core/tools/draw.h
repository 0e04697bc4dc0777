/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drawing on images: areas, lines and dots with soft edges, text, other images,
 * and colours that colour-blind people can tell apart. Coordinates are pixels
 * from the top left, pixel centres at halves; what lies outside is cut off. */
#pragma once

#include "data/png.h"

G_BEGIN_DECLS

typedef struct {
    uint8_t rgb[3]; /* on gray images the first counts */
} AeColour;

enum { AE_TEXT_HEIGHT = 8 }; /* times the scale */

static const AeColour AE_PAPER = {{255, 255, 255}};
static const AeColour AE_INK = {{0, 0, 0}};
static const AeColour AE_FRAME = {{110, 110, 110}};
static const AeColour AE_RULE = {{228, 228, 228}};

/* A new image, all paper. */
AeImage *ae_draw_new(int width, int height, int channels);

void ae_draw_area(AeImage *image, int left, int top, int width, int height,
                  AeColour colour);

/* A line with round ends; a dot where both ends are one point. */
void ae_draw_line(AeImage *image, double x0, double y0, double x1, double y1,
                  double width, AeColour colour);

/* ASCII; other characters become '?'. @scale 1 is for where there is no room
 * for 2. */
int ae_draw_text_width(const char *text, int scale);
void ae_draw_text(AeImage *image, int left, int top, const char *text,
                  int scale, AeColour colour);
/* Reads from the bottom to the top; @left and @top of the whole. */
void ae_draw_text_upwards(AeImage *image, int left, int top, const char *text,
                          int scale, AeColour colour);

/* @source times @zoom, nearest neighbours. */
void ae_draw_image(AeImage *image, int left, int top, const AeImage *source,
                   int zoom);

/* For classes: ten colours, which then repeat. */
AeColour ae_colour_class(int i);

/* From -1 (blue) through 0 (white) to 1 (red). */
AeColour ae_colour_diverging(double value);

G_END_DECLS
