/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/draw.h"

#include <math.h>
#include <string.h>

enum {
    GLYPH_WIDTH = 5,
    FIRST_GLYPH = ' ',
    LAST_GLYPH = '~',
};

/* ASCII from space to tilde, eight rows of five pixels each, top first; a row
 * is one digit in base 32 (0-9, A-V), the leftmost pixel its highest bit. */
static const char font[] =
    "0000000044444040AAA00000AAVAVAA04FKE5U40OP248J30CIK8LID04440000024888420"
    "8422248004LEL400044V440000000C48000V000000000CC001248G00EHJLPHE04C4444E0"
    "EH168GV0V2421HE026AIV220VGU11HE068GUHHE0V1248880EHHEHHE0EHHF12C00CC0CC00"
    "00CC0C48248G842000V0V00084212480EH124040EH1DLLE0EHHVHHH0UHHUHHU0EHGGGHE0"
    "UHHHHHU0VGGUGGV0VGGUGGG0EHGNHHF0HHHVHHH0E44444E072222IC0HIKOKIH0GGGGGGV0"
    "HRLLHHH0HPPLJJH0EHHHHHE0UHHUGGG0EHHHLID0UHHUKIH0FGGE11U0V4444440HHHHHHE0"
    "HHHHHA40HHHLLLA0HHA4AHH0HHA44440V1248GV0E88888E00G842100E22222E04AH00000"
    "000000V08420000000E1FHF0GGUHHHU000EHGHE011FHHHF000EHVGE068S8888000FHHF1E"
    "GGUHHHH040C444E0020622ICGGIKOKI0C44444E000QLLLL000UHHHH000EHHHE000UHHUGG"
    "00FHHF1100MPGGG000FGE1U088S8896000HHHHF000HHHA4000HLLLA000HA4AH000HHHF1E"
    "00V248V0244844204444444084424480008L2000";

/* Petroff, "Accessible color sequences for data visualization",
 * arXiv:2107.02270 (2021), the sequence of ten, optimised for people with
 * deficient colour vision as well. */
static const AeColour classes[] = {
    {{0x3f, 0x90, 0xda}}, {{0xff, 0xa9, 0x0e}}, {{0xbd, 0x1f, 0x01}},
    {{0x94, 0xa4, 0xa2}}, {{0x83, 0x2d, 0xb6}}, {{0xa9, 0x6b, 0x59}},
    {{0xe7, 0x63, 0x00}}, {{0xb9, 0xac, 0x70}}, {{0x71, 0x75, 0x81}},
    {{0x92, 0xda, 0xdd}},
};

/* BuRd of Tol, "Colour schemes", SRON/EPS/TN/09-002 (2021), after ColorBrewer:
 * safe for all kinds of colour vision. */
static const AeColour diverging[] = {
    {{0x21, 0x66, 0xac}}, {{0x43, 0x93, 0xc3}}, {{0x92, 0xc5, 0xde}},
    {{0xd1, 0xe5, 0xf0}}, {{0xf7, 0xf7, 0xf7}}, {{0xfd, 0xdb, 0xc7}},
    {{0xf4, 0xa5, 0x82}}, {{0xd6, 0x60, 0x4d}}, {{0xb2, 0x18, 0x2b}},
};

/* Moves a pixel towards @colour by @share, 0 to 1. */
static void blend(AeImage *image, int x, int y, AeColour colour, double share)
{
    if (x < 0 || y < 0 || x >= image->width || y >= image->height)
        return;
    uint8_t *pixel =
        image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) *
                            (size_t)image->channels;
    for (int c = 0; c < image->channels; c++)
        pixel[c] =
            (uint8_t)lrint(pixel[c] + share * (colour.rgb[c] - pixel[c]));
}

static gboolean has_ink(char c, int x, int y)
{
    const char *rows;
    int row;

    if (c < FIRST_GLYPH || c > LAST_GLYPH)
        c = '?';
    if (x < 0 || y < 0 || x >= GLYPH_WIDTH || y >= AE_TEXT_HEIGHT)
        return FALSE;
    rows = font + (c - FIRST_GLYPH) * AE_TEXT_HEIGHT;
    row = rows[y] <= '9' ? rows[y] - '0' : rows[y] - 'A' + 10;
    return row >> (GLYPH_WIDTH - 1 - x) & 1;
}

/* At twice the size corners are rounded (EPX, Johnston 1992): a quarter of a
 * pixel takes the value of its two outer neighbours if they agree and differ
 * from those across. */
static gboolean has_ink_doubled(char c, int x, int y)
{
    int sx = x / 2, sy = y / 2, dx = x % 2 ? 1 : -1, dy = y % 2 ? 1 : -1;
    gboolean beside = has_ink(c, sx + dx, sy), above = has_ink(c, sx, sy + dy);

    if (beside == above && beside != has_ink(c, sx - dx, sy) &&
        above != has_ink(c, sx, sy - dy))
        return beside;
    return has_ink(c, sx, sy);
}

static void draw_text(AeImage *image, int left, int top, const char *text,
                      int scale, AeColour colour, gboolean upwards)
{
    const int advance = (GLYPH_WIDTH + 1) * scale;
    const int bottom = top + ae_draw_text_width(text, scale) - 1;

    for (int x = 0; x < ae_draw_text_width(text, scale); x++)
        for (int y = 0; y < AE_TEXT_HEIGHT * scale; y++) {
            char c = text[x / advance];
            int at = x % advance;

            if (scale == 2 ? !has_ink_doubled(c, at, y)
                           : !has_ink(c, at / scale, y / scale))
                continue;
            if (upwards)
                blend(image, left + y, bottom - x, colour, 1);
            else
                blend(image, left + x, top + y, colour, 1);
        }
}

/* From a point to the nearest one of a line. */
static double line_distance(double x, double y, double x0, double y0, double x1,
                            double y1)
{
    double dx = x1 - x0, dy = y1 - y0, square = dx * dx + dy * dy;
    double t = square > 0 ? ((x - x0) * dx + (y - y0) * dy) / square : 0;

    t = CLAMP(t, 0, 1);
    return hypot(x - x0 - t * dx, y - y0 - t * dy);
}

AeImage *ae_draw_new(int width, int height, int channels)
{
    AeImage *image = ae_image_new(width, height, channels);

    memset(image->pixels, AE_PAPER.rgb[0],
           (size_t)width * (size_t)height * (size_t)channels);
    return image;
}

void ae_draw_area(AeImage *image, int left, int top, int width, int height,
                  AeColour colour)
{
    for (int y = top; y < top + height; y++)
        for (int x = left; x < left + width; x++)
            blend(image, x, y, colour, 1);
}

void ae_draw_line(AeImage *image, double x0, double y0, double x1, double y1,
                  double width, AeColour colour)
{
    const double r = width / 2 + 0.5;
    const int right = (int)CLAMP(MAX(x0, x1) + r, -1, image->width);
    const int bottom = (int)CLAMP(MAX(y0, y1) + r, -1, image->height);

    for (int y = (int)CLAMP(MIN(y0, y1) - r, 0, image->height); y <= bottom;
         y++)
        for (int x = (int)CLAMP(MIN(x0, x1) - r, 0, image->width); x <= right;
             x++) {
            double d = line_distance(x + 0.5, y + 0.5, x0, y0, x1, y1);
            blend(image, x, y, colour, CLAMP(r - d, 0, 1));
        }
}

int ae_draw_text_width(const char *text, int scale)
{
    return (int)strlen(text) * (GLYPH_WIDTH + 1) * scale;
}

void ae_draw_text(AeImage *image, int left, int top, const char *text,
                  int scale, AeColour colour)
{
    draw_text(image, left, top, text, scale, colour, FALSE);
}

void ae_draw_text_upwards(AeImage *image, int left, int top, const char *text,
                          int scale, AeColour colour)
{
    draw_text(image, left, top, text, scale, colour, TRUE);
}

void ae_draw_image(AeImage *image, int left, int top, const AeImage *source,
                   int zoom)
{
    for (int y = 0; y < source->height * zoom; y++)
        for (int x = 0; x < source->width * zoom; x++) {
            const uint8_t *pixel =
                source->pixels + ((size_t)(y / zoom) * (size_t)source->width +
                                  (size_t)(x / zoom)) *
                                     (size_t)source->channels;
            int g = source->channels == 3 ? 1 : 0, b = 2 * g;
            AeColour colour = {{pixel[0], pixel[g], pixel[b]}};

            blend(image, left + x, top + y, colour, 1);
        }
}

AeColour ae_colour_class(int i)
{
    return classes[i % (int)G_N_ELEMENTS(classes)];
}

AeColour ae_colour_diverging(double value)
{
    double at = (CLAMP(value, -1, 1) + 1) / 2 * (G_N_ELEMENTS(diverging) - 1);
    int i = MIN((int)at, (int)G_N_ELEMENTS(diverging) - 2);
    AeColour colour;

    for (int c = 0; c < 3; c++)
        colour.rgb[c] = (uint8_t)lrint(
            diverging[i].rgb[c] +
            (at - i) * (diverging[i + 1].rgb[c] - diverging[i].rgb[c]));
    return colour;
}
