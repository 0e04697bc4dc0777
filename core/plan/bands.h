/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bands: a network of images, run a few rows at a time.
 *
 * Run step by step, each step writes a whole image, which has left the cache
 * when the next step reads it. Run in bands, a thread computes a few rows of
 * one value, then the rows of the next value that depend on them, and so on to
 * the output. It keeps a row only while a step still reads it, so the rows
 * between input and output stay in the cache. The results are the same bits.
 * (Alwani, Chen, Ferdman and Milder, Fused-layer CNN accelerators, 2016.)
 *
 * A plan runs in bands if it has no gradients, inputs and outputs that are
 * equally many images, and steps that all work row by row
 * (AeStep.row_units).
 *
 * Words:
 *
 *   halo     the rows that a step reads beside row r of its input to make row
 *            r of its output: for a 3x3 convolution one row above and one
 *            below. Halos add up: an output row of three such convolutions
 *            depends on 3 rows above and below, its receptive field.
 *   band     the rows of a value that are computed at once, at most. Its
 *            height is given in rows of the input; a value of half the height
 *            has bands of half as many rows.
 *   delivery rows of a value become available to a thread: it makes a band of
 *            them, or less, or it takes copies from a seam.
 *   buffer   the rows of one value that a thread keeps. Where only
 *            convolutions of floats make and read the value, it is a ring
 *            buffer: row r lies at r modulo its capacity. Other operators want
 *            rows that follow each other: when their sliding buffer is full,
 *            the rows still needed move to its start. The input and the output
 *            of the plan are whole images in buffers that all threads use.
 *   section  the output rows that one thread makes, counted through all images
 *            of a batch. There is a section for each thread, or fewer where
 *            rows are few; all are equal work.
 *   seam     where two sections meet within an image. Both need the halo rows
 *            around the seam, of each value between input and output. The
 *            section below makes them, first of all, and leaves copies in the
 *            memory of the seam; the section above takes the copies, last of
 *            all. So no row is made twice, and a section waits for the one
 *            below alone. Threads take the last section first, so that the one
 *            below has always begun.
 *
 * Rows are delivered on demand. The output asks for its next band. If rows that
 * the band reads are missing, their value is asked for them first, which may
 * ask in turn.
 *
 * Example: three 3x3 convolutions, in -> a -> b -> out, each of the same work,
 * on images of 16 rows, with 2 threads and bands of 4 rows. Section 0 is output
 * rows 0..8, section 1 rows 9..15: each makes 24 rows in all. At the seam, rows
 * 7..8 of a and 8..9 of b are needed on both sides. Each line is a delivery:
 * the rows made and what they read, or the rows taken from the seam; then the
 * rows that buffers a and b keep. tests/core/plan/test-bands-walk.c checks it.
 *
 *   section 0  rows    read       a keeps b keeps
 *          a   0..3    in 0..4    0..3    -
 *          a   4..4    in 3..5    0..4    -        b needs 0..4
 *          b   0..3    a 0..4     3..4    0..3
 *          a   5..5    in 4..6    3..5    0..3
 *          b   4..4    a 3..5     4..5    0..4     out needs 0..4
 *          out 0..3    b 0..4     4..5    3..4
 *          a   6..6    in 5..7    4..6    3..4
 *          a   7..8    seam       4..8    3..4     section 1 makes them
 *          b   5..7    a 4..8     -       3..7
 *          b   8..8    seam       -       3..8
 *          out 4..7    b 3..8     -       7..8
 *          b   9..9    seam       -       7..9
 *          out 8..8    b 7..9     -       -
 *
 *   section 1  rows    read       a keeps b keeps
 *          a   7..10   in 6..11   7..10   -        leaves 7..8 in the seam
 *          a   11..12  in 10..13  7..12   -
 *          b   8..11   a 7..12    11..12  8..11    leaves 8..9 in the seam
 *          a   13..14  in 12..15  11..14  8..11
 *          b   12..13  a 11..14   13..14  8..13
 *          out 9..12   b 8..13    13..14  12..13
 *          a   15..15  in 14..15  13..15  12..13
 *          b   14..15  a 13..15   -       12..15
 *          out 13..15  b 12..15   -       -
 *
 * No buffer ever keeps more than 6 rows, however high the image is: 6 is the
 * capacity of the ring buffers of a and b.
 *
 *   bands.c           which plans run in bands; heights of bands and buffers
 *   bands-sections.c  where sections begin, and which rows seams hold
 *   bands-walk.c      which rows a section delivers when, and which it keeps
 *   bands-run.c       memory of threads, computing rows, copies in seams */
#pragma once

#include "plan/value.h"

G_BEGIN_DECLS

/* Decides how @plan, whose steps are complete, runs in bands of @rows rows of
 * the input. 0: as many as suit the cache. NULL if it has to run on whole
 * images. */
AeBands *ae_bands_new(AePlan *plan, int rows);
void ae_bands_free(AeBands *bands);

/* Bytes that the buffers of all threads and the seams take. */
size_t ae_bands_memory(const AeBands *bands);
/* Rows of the input in a band. */
int ae_bands_rows(const AeBands *bands);

/* The rows [*begin, *end) of an input image that row @row of an output image
 * depends on. FALSE if there are several outputs. */
gboolean ae_bands_input_rows(const AeBands *bands, int64_t row, int64_t *begin,
                             int64_t *end);

/* As ae_bands_input_rows(). FALSE where it is not known: @plan runs on whole
 * images. It is defined in plan.c. */
gboolean ae_plan_input_rows(const AePlan *plan, int64_t row, int64_t *begin,
                            int64_t *end);

/* For tests: rows of the input at a time; 0 if @plan runs on whole images. It
 * is defined in plan.c. */
int ae_plan_band_rows(const AePlan *plan);

G_END_DECLS
