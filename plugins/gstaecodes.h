/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which codes a sampling source decodes: a function of its settings and the
 * frame's number, so that any frame can be made at any time.
 *
 * random:   code n is temperature * N(0, 1).
 * walk:     from code k of random to code k + 1 by slerp, frames_per_step
 *           frames each.
 * grid:     columns x rows codes a frame. The first value goes with the rows
 *           from range_min (top) to range_max, the second with the columns from
 *           range_min (left) to range_max; the others stay.
 * traverse: value k goes from range_min to range_max in frames_per_step frames
 *           while the others stay, then value k + 1; after the last the first.
 *
 * Values that stay are those of a given code, else 0. In random and walk a
 * given code takes the place of all random ones. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum {
    GST_AE_CODES_RANDOM,
    GST_AE_CODES_WALK,
    GST_AE_CODES_GRID,
    GST_AE_CODES_TRAVERSE,
} GstAeCodesMode;

#define GST_TYPE_AE_CODES_MODE (gst_ae_codes_mode_get_type())
GType gst_ae_codes_mode_get_type(void);

typedef struct {
    GstAeCodesMode mode;
    guint64 seed;
    float temperature;
    guint frames_per_step; /* from 1 */
    float range_min, range_max;
    guint columns, rows; /* 0: as the frame has room for */
} GstAeCodes;

/* Images side by side and one below the other in a frame: 1 but for a grid; 0:
 * as it has room for. */
int gst_ae_codes_columns(const GstAeCodes *codes);
int gst_ae_codes_rows(const GstAeCodes *codes);

/* Code @i of frame @frame, row by row in a grid, of @size floats (a grid: at
 * least 2). @given may be NULL; @work has room for @size floats. */
void gst_ae_codes_make(const GstAeCodes *codes, guint64 frame, int i,
                       const float *given, int size, float *code, float *work);

/* A random label below @classes: one for each frame, or in walk and traverse
 * for each step. */
int gst_ae_codes_label(const GstAeCodes *codes, guint64 frame, int classes);

G_END_DECLS
