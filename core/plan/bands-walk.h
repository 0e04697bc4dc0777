/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bands (bands.h): what they consist of, and the walk through a section, which
 * decides which rows are delivered in which order. Planning walks to learn how
 * many rows buffers need; running walks to compute rows.
 *
 * Rows are counted from the top of an image, and a range of rows ends before
 * its end. */
#pragma once

#include "plan/value.h"

G_BEGIN_DECLS

/* The rows of one value that a thread keeps. */
typedef struct {
    AePlanValue *value;
    gboolean whole;      /* an input or output of the plan: has all rows of all
                            images, and all threads use it */
    gboolean delivered;  /* an output of the plan that a stage makes */
    gboolean ring;       /* row r lies at r modulo capacity; otherwise rows
                            follow each other */
    int64_t height, row; /* rows of an image, floats of a row */
    int maker;           /* stage; -1: none, it is the input */
    int readers[2];      /* the first and the last stage that read it */
    int64_t capacity;    /* rows */
    size_t offset;       /* floats, in a thread's memory */
} AeBandBuffer;

/* A step, and the buffers that it reads and writes, by their indices. */
typedef struct {
    const AeStep *step;
    int out;
    int n_in; /* 1 + the step's inputs */
    int *in;  /* the residual, then the step's inputs; -1: a constant, none */
    double cost; /* work of one output row */
} AeStage;

/* Copies of the halo of one buffer at a seam: the section below makes rows
 * [start, until) and copies them here, the section above takes them. Of a whole
 * buffer there are no copies, the section above waits for the rows alone. */
typedef struct {
    int64_t start, until;
    size_t offset; /* floats, in the seams' memory */
    int64_t made;  /* atomic: rows [start, made) are there */
} AeSeam;

typedef struct AeBandWorker AeBandWorker; /* bands-run.c */

/* The first two buffers, those of the first input and output. */
enum { AE_BANDS_INPUT, AE_BANDS_OUTPUT };

struct AeBands {
    AePool *pool;
    int threads;
    int64_t images;   /* in a batch */
    int64_t rows;     /* of the input, in a band */
    GArray *buffers;  /* AeBandBuffer */
    GArray *stages;   /* AeStage, in the order of the plan's steps */
    size_t size;      /* floats of the buffers of one thread */
    size_t seam_size; /* floats of all seams */
    float *memory, *seam_memory;
    AeBandWorker *workers; /* one a thread */
    int sections;
    int64_t *begins; /* the output row, counted through all images, where each
                        section begins; the last of sections + 1 ends them */
    AeSeam *seams;   /* for each section the seam above it: one for each
                        buffer */
};

/* How far a section is with one buffer, in rows of the current image. The
 * section makes the rows until make; those until need come from the seam
 * below. */
typedef struct {
    int64_t first; /* the first row in a sliding buffer */
    int64_t done;  /* end of the rows that are delivered */
    int64_t make;  /* end of the rows that the section makes */
    int64_t need;  /* end of the rows that the section needs */
    int64_t want;  /* end of the rows that are asked for next */
    int reader;    /* the buffer whose rows wait for them; -1: none */
} AeProgress;

typedef struct AeWalk AeWalk;

struct AeWalk {
    const AeBands *bands;
    AeProgress *progress; /* one for each buffer */
    int64_t image;
    AeSeam *above, *below; /* one for each buffer; NULL at the image's ends */
    /* Called when the output rows of @stage from done to @end are due, with all
     * rows that they read delivered. They are made if done < make, and
     * otherwise taken from the seam below. */
    void (*deliver)(const AeWalk *walk, const AeStage *stage, int64_t end);
    void *data;        /* for deliver */
    gboolean planning; /* of equal images, walk through one alone */
};

static inline AeBandBuffer *ae_bands_buffer(const AeBands *bands, int i)
{
    return &g_array_index(bands->buffers, AeBandBuffer, i);
}

static inline AeStage *ae_bands_stage(const AeBands *bands, int i)
{
    return &g_array_index(bands->stages, AeStage, i);
}

/* The seam above @section. */
static inline AeSeam *ae_bands_seam(const AeBands *bands, int64_t section)
{
    return &bands->seams[section * bands->buffers->len];
}

/* Sets done of each buffer to the first row that a section needs whose output
 * begins with row @begin. Of other outputs of the plan the section has the same
 * part, and the rows before it that it reads. */
void ae_walk_starts(const AeWalk *walk, int64_t begin);

/* After ae_walk_starts(): sets make and need of each buffer, so that the output
 * ends before row @end and the seam above gets its rows. */
void ae_walk_ends(const AeWalk *walk, int64_t end);

/* The first row of @buffer that the section will still read. */
int64_t ae_walk_keep(const AeWalk *walk, int buffer);

/* Walks through all rows of @section, image by image. */
void ae_walk_section(AeWalk *walk, int64_t section);

G_END_DECLS
