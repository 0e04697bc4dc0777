/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where sections begin, and which rows their seams hold. */
#include "plan/bands-sections.h"

/* Work that the sections above output row @row of an image do, if one begins
 * there: all rows of values above its first ones. */
static double cost_above(const AeWalk *walk, int64_t row)
{
    double cost = 0;

    ae_walk_starts(walk, row);
    for (guint i = 0; i < walk->bands->stages->len; i++) {
        const AeStage *stage = ae_bands_stage(walk->bands, (int)i);

        cost += stage->cost * (double)walk->progress[stage->out].done;
    }
    return cost;
}

/* The first output row after @row, counted through all images, that has at
 * least the fraction @part of all work above it. */
static int64_t find_row(const AeWalk *walk, int64_t row, double part)
{
    int64_t height = ae_bands_buffer(walk->bands, AE_BANDS_OUTPUT)->height;
    int64_t end = height * walk->bands->images;
    double image = cost_above(walk, height);
    double cost = part * image * (double)walk->bands->images;

    for (row++; row < end;) {
        int64_t middle = row + (end - row) / 2;

        if (image * (double)(middle / height) +
                cost_above(walk, middle % height) <
            cost)
            row = middle + 1;
        else
            end = middle;
    }
    return end;
}

/* Makes as many sections as threads, of equal work and at least one row. */
static void deal_sections(AeBands *bands, const AeWalk *walk)
{
    int64_t rows =
        bands->images * ae_bands_buffer(bands, AE_BANDS_OUTPUT)->height;
    int64_t row = 0;

    bands->begins = g_new0(int64_t, bands->threads + 1);
    for (int i = 1; i <= bands->threads && row < rows; i++) {
        row = i == bands->threads
                  ? rows
                  : find_row(walk, row, (double)i / bands->threads);
        bands->begins[bands->sections = i] = row;
    }
}

/* Sets which rows each seam holds, and their places in the seams' memory. From
 * the first section on, as a seam may reach as far as the next one. */
static void place_seams(AeBands *bands, AeWalk *walk)
{
    int64_t height = ae_bands_buffer(bands, AE_BANDS_OUTPUT)->height;
    guint n = bands->buffers->len;

    bands->seams = g_new0(AeSeam, (gsize)(bands->sections + 1) * n);
    for (int section = 0; section + 1 < bands->sections; section++) {
        int64_t begin = bands->begins[section],
                end = bands->begins[section + 1];
        int64_t top = end / height * height;

        if (end == top)
            continue;
        walk->above = begin > top ? ae_bands_seam(bands, section) : NULL;
        walk->below = ae_bands_seam(bands, section + 1);
        ae_walk_starts(walk, end - top);
        for (guint i = 0; i < n; i++)
            walk->below[i].start = walk->progress[i].done;
        ae_walk_starts(walk, MAX(begin - top, 0));
        ae_walk_ends(walk, end - top);
        for (guint i = 0; i < n; i++) {
            const AeBandBuffer *buffer = ae_bands_buffer(bands, (int)i);
            AeSeam *seam = &walk->below[i];

            seam->until = seam->start;
            if (buffer->maker >= 0)
                seam->until = MAX(walk->progress[i].need, seam->start);
            seam->offset = bands->seam_size;
            if (!buffer->whole)
                bands->seam_size +=
                    (size_t)((seam->until - seam->start) * buffer->row);
        }
    }
}

void ae_bands_deal_sections(AeBands *bands)
{
    g_autofree AeProgress *progress = g_new0(AeProgress, bands->buffers->len);
    AeWalk walk = {.bands = bands, .progress = progress};

    deal_sections(bands, &walk);
    place_seams(bands, &walk);
}
