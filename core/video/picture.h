/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture: the samples of one image or video frame, in memory that somebody
 * else owns, and the only functions that read and write them.
 *
 * A picture has one plane a component: gray; or Y, U and V; or R, G and B; then
 * perhaps alpha, or the unused byte of pixels of four bytes. A plane says where
 * its samples lie, so planar and interleaved formats look alike.
 *
 * A model knows a sample v of 0 .. most as low + v / most * span, where most is
 * 255 for 8 bits, 1023 for 10 and 65535 for 16. */
#pragma once

#include "model/metadata.h"

#include <stdint.h>

G_BEGIN_DECLS

#define AE_PICTURE_PLANES 4

/* Most pixels of a side: the bytes of a row fit an int, enlarged too. */
#define AE_PICTURE_SIDE (1 << 20)

typedef enum { AE_COLOUR_GRAY, AE_COLOUR_YUV, AE_COLOUR_RGB } AeColour;

typedef enum {
    AE_FIELDS_NONE,        /* progressive video */
    AE_FIELDS_INTERLEAVED, /* interlaced: the rows of two fields alternate */
    AE_FIELDS_APART,       /* interlaced: one field after the other */
} AeFields;

/* What all pictures of a stream share. */
typedef struct {
    const char *name; /* of the pixel format, for error sentences; static */
    AeColour colour;
    int width, height;             /* pixels */
    int bits;                      /* of a sample */
    int n_planes, n_colours;       /* the colours are the first planes */
    gboolean alpha;                /* the plane behind the colours is alpha,
                                      not an unused byte */
    int log2_x[AE_PICTURE_PLANES]; /* a plane has a sample for every */
    int log2_y[AE_PICTURE_PLANES]; /* 2^log2_x by 2^log2_y pixels */
    gboolean cosited_x, cosited_y; /* chroma lies where the first luma of its
                                      block does, not between them */
    AeFields fields;
} AePictureFormat;

/* Bits of a plane inside the core whose samples are floats, clipped to 0 .. 1
 * when they are read or written. Such a plane cannot be blended, copied or
 * filled. */
#define AE_PLANE_FLOAT 32

typedef struct {
    uint8_t *data;     /* the first sample of the first row */
    int stride, step;  /* bytes to the next row and to the next sample */
    int width, height; /* samples */
    int bits;          /* 8; 9 to 16, each sample in a word; or
                          AE_PLANE_FLOAT */
    int shift;         /* bits of a word below the sample, which are written as
                          zeros */
    gboolean big_endian;
} AePlane;

/* A plane of bytes, of little-endian words whose lowest bits are the sample, or
 * of floats. */
static inline AePlane ae_plane(void *data, int stride, int step, int width,
                               int height, int bits)
{
    return (AePlane){.data = data,
                     .stride = stride,
                     .step = step,
                     .width = width,
                     .height = height,
                     .bits = bits};
}

typedef struct {
    AePictureFormat format;
    AePlane plane[AE_PICTURE_PLANES];
} AePicture;

/* Whether pictures of @format are of a size that is supported. */
gboolean ae_picture_check(const AePictureFormat *format, GError **error);

/* A picture of 8 bits in @data, whose rows lie densely, @channels samples of a
 * pixel side by side: 1 is gray, 3 is RGB. */
AePicture ae_picture_of_bytes(uint8_t *data, int width, int height,
                              int channels);

/* Reads @n samples of row @y, from column 0 on, into floats that stand @step
 * floats apart. Rows and columns past the edge are reflected at the last one,
 * which is not repeated. */
void ae_plane_read(const AePlane *plane, int y, int n, AeRange range,
                   float *target, int step);

/* Writes @n samples of row @y, from column @x on, all inside the plane, from
 * floats that stand @step apart: clipped, and rounded to the nearest; NaN
 * becomes 0. */
void ae_plane_write(const AePlane *plane, int x, int y, int n, AeRange range,
                    const float *source, int step);

/* Copies all planes between pictures of one format and size, bit for bit if the
 * samples lie alike in their words. */
void ae_picture_copy(const AePicture *out, const AePicture *in);

/* Fills @out, not smaller than @in, with its nearest pixels; unused bytes
 * become 255. */
void ae_picture_enlarge(const AePicture *out, const AePicture *in);

/* Makes the image that models take for 4:2:0 video: half the size, its channels
 * the four lumas of a block, row by row, and U and V. @planes: Y of 2 height x
 * 2 width, then U and V of height x width, densely one after the other. @image:
 * height x width x AE_YUV420_CHANNELS. */
void ae_yuv420_pack(const float *planes, int width, int height, float *image);

G_END_DECLS
