/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RandomNormalLike: normal numbers (attributes mean and scale) in the shape of
 * the input. They depend on the plan's seed, the node's own `seed` and the
 * place of the element alone. */
#include "base/random.h"

#include "ops/gradient.h"

#define CHUNK 4096 /* elements of a unit */

static gboolean plan(AeStep *step, GError **error)
{
    const AeShape *shape = &step->in[0]->shape;

    if (!ae_step_set_output(step, 0, shape, error))
        return FALSE;
    step->units = (ae_shape_elements(shape) + CHUNK - 1) / CHUNK;
    return TRUE;
}

static uint64_t node_seed(const AeStep *step)
{
    union {
        float number;
        uint32_t bits;
    } seed = {.number = ae_node_float(step->node, "seed", 0)};

    return ae_random_mix(step->seed, seed.bits);
}

static void forward(const AeStep *step, int64_t begin, int64_t end,
                    float *scratch G_GNUC_UNUSED)
{
    float mean = ae_node_float(step->node, "mean", 0);
    float scale = ae_node_float(step->node, "scale", 1);
    int64_t total = ae_shape_elements(&step->out[0]->shape);
    uint64_t seed = node_seed(step);

    for (int64_t unit = begin; unit < end; unit++) {
        AeRandom random = ae_random(seed, (uint64_t)unit);
        float *y = step->out[0]->data + unit * CHUNK;
        int64_t n = MIN(CHUNK, total - unit * CHUNK);

        ae_random_normals(&random, y, n);
        for (int64_t i = 0; i < n; i++)
            y[i] = mean + scale * y[i];
    }
}

/* The output depends on the shape of the input alone. */
static void backward(const AeStep *step, float *scratch G_GNUC_UNUSED)
{
    if (ae_step_wants(step, 0))
        ae_step_clear_gradient(step, 0);
}

const AeOperator ae_ops_random[] = {
    {
        .name = "RandomNormalLike",
        .min_in = 1,
        .max_in = 1,
        .max_out = 1,
        .fold = AE_FOLD_NEVER,
        .plan = plan,
        .forward = forward,
        .backward = backward,
    },
    {NULL},
};
