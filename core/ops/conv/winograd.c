/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd's F(4x4, 3x3); see AeWinogradInput. A group of four target rows is
 * computed at once, some tiles at a time: their inputs are transformed,
 * multiplied with the transformed weights in 36 products of matrices (tiles by
 * channels), and the products are transformed into outputs. */
#include "ops/conv/winograd.h"

#define POSITIONS 36
#define TILE AE_CONV_WINOGRAD_ROWS

/* With fewer channels the transforms take more time than the products save. */
#define MIN_CHANNELS 8

/* In smaller images too much of the tiles lies outside. */
#define MIN_SIZE 8

/* Floats of transformed tiles at a time, which stay in the cache. */
#define WORK (32 * 1024)

/* Tiles are computed in multiples of the kernels' blocks of pixels. */
#define BLOCK 12

static gboolean fits(const AeConv *c, const AeConvPass *pass)
{
    for (int a = 1; a < 3; a++)
        if (pass->step[a] != 1 || pass->phases[a] != 1 ||
            pass->first[a].taps != 3 || pass->first[a].offset_step != 1 ||
            pass->target[a] < MIN_SIZE)
            return FALSE;
    return c->groups == 1 && c->window.kernel[0] == 1 && pass->source[0] == 1 &&
           pass->target[0] == 1 && pass->source_c >= MIN_CHANNELS &&
           pass->target_c >= MIN_CHANNELS;
}

static int64_t row_tiles(const AeConvPass *pass)
{
    return (pass->target[2] + TILE - 1) / TILE;
}

/* Floats of the products of one tile at one position. */
static int64_t product_width(const AeKernels *kernels, const AeConvPass *pass)
{
    return (int64_t)kernels->conv_packed(1, 16, pass->target_c) / 16;
}

static int64_t tiles_at_once(const AeConvPass *pass)
{
    const int64_t most = WORK / POSITIONS / (pass->source_c + pass->target_c);

    return MIN(MAX(most / BLOCK, 1) * BLOCK, row_tiles(pass));
}

void ae_conv_winograd_init(const AeKernels *kernels, const AeConv *c,
                           AeConvPass *pass)
{
    pass->winograd = fits(c, pass);
    if (!pass->winograd)
        return;
    pass->span[1] = 8;
    pass->row = MAX(pass->row, (pass->left + pass->first[2].offset +
                                TILE * row_tiles(pass) + 2) *
                                   pass->source_c);
    pass->padded |= pass->row > pass->source[2] * pass->source_c;
    pass->packed = pass->phase_packed =
        ae_conv_aligned(POSITIONS * (int64_t)kernels->conv_packed(
                                        1, pass->source_c, pass->target_c));
}

int64_t ae_conv_winograd_scratch(const AeKernels *kernels,
                                 const AeConvPass *pass)
{
    return POSITIONS * tiles_at_once(pass) *
           (ae_conv_aligned(pass->source_c) + product_width(kernels, pass));
}

void ae_conv_winograd_rows(int64_t *begin, int64_t *end)
{
    *begin = *begin / TILE * TILE;
    *end = (*end + TILE - 1) / TILE * TILE;
}

/* Sets in->row for the group that begins with row @h of image @n. */
static void find_rows(AeConvRows *rows, int64_t n, int64_t h,
                      AeWinogradInput *in)
{
    const AeConvPass *pass = rows->pass;

    for (int i = 0; i < TILE + 2; i++)
        in->row[i] = ae_conv_row_at(rows, n, 0, h + pass->first[1].offset + i) +
                     (pass->left + pass->first[2].offset) * pass->source_c;
}

/* Sets out->out and out->residual for rows out->first to out->last of the group
 * that begins with target row @unit. */
static void find_targets(const AeConvRun *run, int64_t unit,
                         AeWinogradOutput *out)
{
    const AeConvRow *row = &run->row;

    for (int i = out->first; i < out->last; i++) {
        out->out[i] = row->out + ae_conv_offset(&run->out_layout, unit + i);
        if (row->residual)
            out->residual[i] =
                row->residual + ae_conv_offset(&run->residual_layout, unit + i);
    }
}

/* Moves on to the tiles that follow. */
static void move_on(AeWinogradInput *in, AeWinogradOutput *out)
{
    for (int i = 0; i < TILE + 2; i++)
        in->row[i] += TILE * in->tiles * in->step;
    for (int i = out->first; i < out->last; i++) {
        out->out[i] += TILE * in->tiles * out->c;
        if (out->residual[i])
            out->residual[i] += TILE * in->tiles * out->c;
    }
}

/* Computes the rows of one group, some tiles at a time. */
static void run_group(const AeKernels *kernels, const AeConvPass *pass,
                      AeWinogradInput *in, AeWinogradProducts *products,
                      AeWinogradOutput *out)
{
    const int64_t all = row_tiles(pass), most = tiles_at_once(pass);

    for (int64_t t = 0; t < all; t += in->tiles) {
        in->tiles = products->tiles = out->tiles = MIN(all - t, most);
        out->n = MIN(pass->target[2] - TILE * t, TILE * in->tiles);
        kernels->winograd_input(in);
        kernels->winograd_multiply(products);
        kernels->winograd_output(out);
        move_on(in, out);
    }
}

void ae_conv_winograd_run(const AeConvRun *run, int64_t begin, int64_t end,
                          float *scratch)
{
    const AeConvPass *pass = run->pass;
    const int64_t height = pass->target[1];
    float *v = scratch + ae_conv_rows_scratch(pass);
    AeWinogradProducts products = {
        .v = v,
        .u = run->packed,
        .ci = pass->source_c,
        .co = pass->target_c,
        .width = product_width(run->kernels, pass),
        .m = v +
             POSITIONS * tiles_at_once(pass) * ae_conv_aligned(pass->source_c),
    };
    AeConvRows rows = ae_conv_rows_of(run, scratch);
    AeWinogradInput in = {.step = pass->source_c, .c = pass->source_c, .v = v};

    for (int64_t unit = begin, next; unit < end; unit = next) {
        const int64_t h = unit % height / TILE * TILE;
        const int64_t first =
            unit - unit % height + h; /* first row of the group */
        AeWinogradOutput out = {
            .m = products.m,
            .width = products.width,
            .c = pass->target_c,
            .first = unit - first,
            .epilogue = run->row.epilogue,
        };

        next = MIN(end, first + MIN(TILE, height - h));
        out.last = next - first;
        find_rows(&rows, unit / height, h, &in);
        find_targets(run, first, &out);
        run_group(run->kernels, pass, &in, &products, &out);
    }
}
