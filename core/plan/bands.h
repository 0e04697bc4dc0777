/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network of images, run on a few rows at a time: what its files share.
 *
 * The output's rows are dealt in shares, one a thread. A share makes them a
 * band at a time, and for each the rows of other values that are missing, each
 * as late as possible. Of a value between input and output a thread keeps a
 * window: the rows that are still read, and room for the next ones. Between
 * convolutions, which find rows one by one, it is a ring; others read rows that
 * follow each other: when their window is full, the rows that are still read
 * move to its start. (Alwani, Chen, Ferdman and Milder, Fused-layer CNN
 * accelerators, 2016.)
 *
 * Where two shares meet, both need some rows of each value. The lower share
 * makes them, first of all, and leaves copies in the seam between the two, from
 * which the upper one takes them when it gets there, last of all. A share thus
 * waits for the one below alone; they are begun from the last one on, so that
 * any number of threads comes to an end.
 *
 *   bands.c         which plans run in bands, and how large windows are
 *   bands-shares.c  where shares begin, and what their seams hold
 *   bands-walk.c    which rows a share makes when, and which it keeps
 *   bands-run.c     making them: each thread's memory, copies, seams
 *
 * Planning walks through a run without running anything, and so learns how
 * large windows must be. */
#pragma once

#include "plan/value.h"

G_BEGIN_DECLS

typedef struct {
    AePlanValue *value;
    gboolean whole;      /* the plan's input or output: all rows are there */
    gboolean ring;       /* row r lies at r modulo capacity */
    int64_t height, row; /* rows of an image, floats of a row */
    int maker;           /* stage; -1: the input */
    int readers[2];      /* the first stage that reads it, and the last */
    int64_t capacity;    /* rows */
    size_t offset;       /* in a thread's memory */
} AeWindow;

/* Of a window, where two shares meet: the lower one begins with rows
 * [start, until), of which the upper one gets copies. */
typedef struct {
    int64_t start, until;
    size_t offset; /* in the seams' memory */
    int64_t made;  /* atomic: the end of those that are there */
} AeSeam;

/* A step, and the windows that it reads and makes. */
typedef struct {
    const AeStep *step;
    int out, residual; /* windows; -1: none */
    int n_in;
    int *in;     /* window of each operand, -1: a constant or none */
    double cost; /* of a row */
} AeStage;

typedef struct AeBandWorker AeBandWorker;

struct AeBands {
    AePool *pool;
    int threads;
    int64_t images, rows; /* of the input that a band stands for */
    GArray *windows;      /* AeWindow: input, output, the others */
    GArray *stages;       /* AeStage */
    size_t size;          /* floats of a thread's windows */
    size_t seam_size;     /* floats of all seams */
    float *memory, *seam_memory;
    AeBandWorker *workers; /* threads */
    int shares;
    int64_t *begins; /* shares + 1: output rows, counted through all images */
    AeSeam *seams;   /* (shares + 1) * windows: above each share */
};

/* What is known of a window while a share is made: rows of the image. */
typedef struct {
    int64_t first; /* in memory */
    int64_t done;  /* there so far, end */
    int64_t make;  /* to be made, end */
    int64_t need;  /* to be there, end; the rest is in the seam */
    int64_t want;  /* to be there next, end... */
    int reader;    /* ...for rows of this window; -1: for all's sake */
} AeSpan;

typedef struct AeWalk AeWalk;

/* Part of an image: rows of the output. */
struct AeWalk {
    const AeBands *bands;
    AeSpan *spans; /* one a window */
    int64_t image;
    AeSeam *above, *below; /* one a window; NULL at the image's ends */
    /* The rows of @stage's output until @end are due: all made, or all taken
     * from the seam. */
    void (*advance)(const AeWalk *walk, const AeStage *stage, int64_t end);
    void *data;         /* of advance */
    gboolean rehearsal; /* one whole image is enough */
};

enum { AE_BANDS_INPUT, AE_BANDS_OUTPUT };

static inline AeWindow *ae_bands_window(const AeBands *bands, int i)
{
    return &g_array_index(bands->windows, AeWindow, i);
}

static inline AeStage *ae_bands_stage(const AeBands *bands, int i)
{
    return &g_array_index(bands->stages, AeStage, i);
}

/* The seam between a share and the one before it, one entry a window. */
static inline AeSeam *ae_bands_seam(const AeBands *bands, int64_t share)
{
    return &bands->seams[share * bands->windows->len];
}

/* Deals the output's rows, and gives seams their places. */
void ae_bands_deal(AeBands *bands);

/* Sets where each value begins (done), so that the output can begin with row
 * @begin. */
void ae_walk_starts(const AeWalk *walk, int64_t begin);
/* Then where each may end (make, need), so that the output ends with row
 * @end - 1, and the share above gets its copies. */
void ae_walk_ends(const AeWalk *walk, int64_t end);
/* The first row of @window that is still read. */
int64_t ae_walk_keep(const AeWalk *walk, int window);
/* All of a share. */
void ae_walk_share(AeWalk *walk, int64_t share);

void ae_bands_free_memory(AeBands *bands);

/* How @plan runs in bands of @rows input rows (0: chosen); NULL if it cannot
 * or would be slower. */
AeBands *ae_bands_new(AePlan *plan, int rows);
void ae_bands_free(AeBands *bands);
/* Once the plan's input, output and weights have their memory. FALSE: there is
 * none. */
gboolean ae_bands_allocate(AePlan *plan);
size_t ae_bands_memory(const AeBands *bands); /* bytes */
int ae_bands_rows(const AeBands *bands);
void ae_bands_run(AePlan *plan);

G_END_DECLS
