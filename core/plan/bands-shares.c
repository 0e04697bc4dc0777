/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the shares of a network in bands begin: all are of equal work; and what
 * the seams between them hold. */
#include "plan/bands.h"

/* What is made of an image before output row @row can begin a share. */
static double cost_above(const AeWalk *walk, int64_t row)
{
    double cost = 0;

    ae_walk_starts(walk, row);
    for (guint i = 0; i < walk->bands->stages->len; i++) {
        const AeStage *stage = ae_bands_stage(walk->bands, (int)i);

        cost += stage->cost * (double)walk->spans[stage->out].done;
    }
    return cost;
}

/* The first output row after @row, counted through all images, that has at
 * least @part of the work above it. */
static int64_t find_row(const AeWalk *walk, int64_t row, double part)
{
    int64_t height = ae_bands_window(walk->bands, AE_BANDS_OUTPUT)->height;
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

/* As many shares as threads, of equal work, each of one row at least. */
static void deal_shares(AeBands *bands, const AeWalk *walk)
{
    int64_t rows =
        bands->images * ae_bands_window(bands, AE_BANDS_OUTPUT)->height;
    int64_t row = 0;

    bands->begins = g_new0(int64_t, bands->threads + 1);
    for (int i = 1; i <= bands->threads && row < rows; i++) {
        row = i == bands->threads
                  ? rows
                  : find_row(walk, row, (double)i / bands->threads);
        bands->begins[bands->shares = i] = row;
    }
}

/* From the first share on: what each leaves to the one below. */
static void place_seams(AeBands *bands, AeWalk *walk)
{
    int64_t height = ae_bands_window(bands, AE_BANDS_OUTPUT)->height;
    guint n = bands->windows->len;

    bands->seams = g_new0(AeSeam, (gsize)(bands->shares + 1) * n);
    for (int share = 0; share + 1 < bands->shares; share++) {
        int64_t begin = bands->begins[share], end = bands->begins[share + 1];
        int64_t top = end / height * height;

        if (end == top)
            continue;
        walk->above = begin > top ? ae_bands_seam(bands, share) : NULL;
        walk->below = ae_bands_seam(bands, share + 1);
        ae_walk_starts(walk, end - top);
        for (guint i = 0; i < n; i++)
            walk->below[i].start = walk->spans[i].done;
        ae_walk_starts(walk, MAX(begin - top, 0));
        ae_walk_ends(walk, end - top);
        for (guint i = 0; i < n; i++) {
            AeSeam *seam = &walk->below[i];

            seam->until = seam->start;
            if (!ae_bands_window(bands, (int)i)->whole)
                seam->until = MAX(walk->spans[i].need, seam->start);
            seam->offset = bands->seam_size;
            bands->seam_size += (size_t)((seam->until - seam->start) *
                                         ae_bands_window(bands, (int)i)->row);
        }
    }
}

void ae_bands_deal(AeBands *bands)
{
    g_autofree AeSpan *spans = g_new0(AeSpan, bands->windows->len);
    AeWalk walk = {.bands = bands, .spans = spans};

    deal_shares(bands, &walk);
    place_seams(bands, &walk);
}
