/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae figure weights`: the weights of a model's first layer as pictures. */
#include <math.h>

#include "tools/ae-tool.h"

enum { MAX_ZOOM = 32, MAX_TILES = 1024 };

/* The first layer's weights: those of a matrix product or of a convolution. */
static const AeTensor *first_weight(const AeModel *model, gboolean *transposed)
{
    for (guint i = 0; i < model->nodes->len; i++) {
        const AeNode *node = g_ptr_array_index(model->nodes, i);
        const AeTensor *weight;

        if (node->inputs->len < 2 || g_array_index(node->inputs, int, 1) < 0)
            continue;
        weight = ae_model_value(model, g_array_index(node->inputs, int, 1))
                     ->constant;
        if (weight == NULL || weight->integer ||
            (weight->shape.rank != 2 && weight->shape.rank != 4))
            continue;
        *transposed = ae_node_int(node, "transB", 0) != 0;
        return weight;
    }
    return NULL;
}

/* Pictures of numbers, each height x width, in row-major order. */
typedef struct {
    int n, height, width;
    float *numbers;
} Tiles;

/* The tiles of a convolution: a kernel for each pair of channels. */
static void set_kernels(Tiles *tiles, const AeTensor *weight)
{
    const int64_t *dim = weight->shape.dim;

    tiles->height = (int)dim[2];
    tiles->width = (int)dim[3];
    tiles->n = (int)MIN(dim[0] * dim[1], MAX_TILES);
    tiles->numbers =
        tool_alloc(ae_shape_elements(&weight->shape), sizeof(float));
    ae_tensor_to_row_major(weight, tiles->numbers);
}

/* The tiles of a dense layer: for each unit and channel the weights of the
 * image's pixels. The weights of a conditional model's label, which stand
 * behind them, are left out. */
static void set_units(Tiles *tiles, const AeTensor *weight, gboolean transposed,
                      const AeShape *image)
{
    const int64_t inputs = weight->shape.dim[transposed ? 1 : 0];
    const int64_t units = weight->shape.dim[transposed ? 0 : 1];
    const int64_t step = transposed ? 1 : units, unit = transposed ? inputs : 1;
    const int64_t size = image->dim[1] * image->dim[2] * image->dim[3];

    tool_require(image->rank == 4 && image->dim[1] > 0 && image->dim[2] > 0 &&
                     image->dim[3] > 0 && inputs >= size,
                 "the first layer, with %" G_GINT64_FORMAT
                 " inputs, does not see the whole image",
                 inputs);
    tiles->height = (int)image->dim[2];
    tiles->width = (int)image->dim[3];
    tiles->n = (int)MIN(units * image->dim[1], MAX_TILES);
    tiles->numbers = tool_alloc(units * size, sizeof(float));
    for (int64_t i = 0; i < units; i++)
        for (int64_t j = 0; j < size; j++)
            tiles->numbers[i * size + j] = weight->data[i * unit + j * step];
}

static Tiles tiles_of(const AeModel *model)
{
    gboolean transposed = FALSE;
    const AeTensor *weight = first_weight(model, &transposed);
    Tiles tiles;

    tool_require(weight != NULL,
                 "the model has no dense layer and no convolution");
    if (weight->shape.rank == 4)
        set_kernels(&tiles, weight);
    else
        set_units(&tiles, weight, transposed,
                  &ae_model_value(model, ae_model_input(model, 0))->shape);
    return tiles;
}

static void draw_tiles(cairo_t *canvas, const Tiles *tiles)
{
    const double shape = 1.6 * tiles->height / tiles->width;
    const int columns = MIN(tiles->n, (int)ceil(sqrt(shape * tiles->n)));

    tool_check(ae_figure_weights(
        canvas, tiles->numbers, tiles->n, tiles->height, tiles->width, columns,
        tool_choose_zoom(tiles->width, columns, MAX_ZOOM), &tool_error));
}

void run_weights(Arguments *args)
{
    tool_parse(args, NULL, 1, 1);
    g_autoptr(AeModel) model = tool_load_model(args->argv[1]);
    const Tiles tiles = tiles_of(model);
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    draw_tiles(canvas, &tiles);
    ae_free(tiles.numbers);
    tool_save_canvas(canvas, args->output);
}
