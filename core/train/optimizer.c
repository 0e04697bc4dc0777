/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/optimizer.h"

#include <math.h>

#define CHUNK 4096 /* weights a task */

typedef struct {
    AeOptimizerKind kind;
    float *weights, *m, *v;
    const float *gradients;
    int64_t n;
    float learning_rate, scale;
    AeAdam adam;
    const AeKernels *kernels;
} Update;

int ae_optimizer_moments(AeOptimizerKind kind)
{
    return kind == AE_OPTIMIZER_ADAM ? 2 : 1;
}

static AeAdam adam_at_step(int64_t step, float learning_rate, float scale)
{
    AeAdam adam = {
        .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-7f, .scale = scale};
    double t = (double)step;

    adam.learning_rate =
        (float)(learning_rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t)));
    return adam;
}

static void rmsprop(const Update *u, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++) {
        float g = u->gradients[i] * u->scale;
        u->m[i] = 0.9f * u->m[i] + 0.1f * g * g;
        u->weights[i] -= u->learning_rate * g / (sqrtf(u->m[i]) + 1e-7f);
    }
}

static void sgd(const Update *u, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++) {
        u->m[i] =
            0.9f * u->m[i] - u->learning_rate * u->gradients[i] * u->scale;
        u->weights[i] += u->m[i];
    }
}

static void update_chunk(void *data, int64_t index, int thread G_GNUC_UNUSED)
{
    const Update *u = data;
    int64_t begin = index * CHUNK, end = MIN(begin + CHUNK, u->n);

    switch (u->kind) {
    case AE_OPTIMIZER_ADAM:
        u->kernels->adam(u->weights + begin, u->gradients + begin, u->m + begin,
                         u->v + begin, end - begin, &u->adam);
        break;
    case AE_OPTIMIZER_RMSPROP:
        rmsprop(u, begin, end);
        break;
    case AE_OPTIMIZER_SGD:
        sgd(u, begin, end);
        break;
    }
}

void ae_optimizer_step(AeOptimizerKind kind, float *weights,
                       const float *gradients, float *const moments[2],
                       int64_t n, int64_t step, float learning_rate,
                       float scale, const AeKernels *kernels, AePool *pool)
{
    Update update = {
        kind,          weights,   moments[0],
        moments[1],    gradients, n,
        learning_rate, scale,     adam_at_step(step, learning_rate, scale),
        kernels};

    ae_pool_run(pool, update_chunk, &update, (n + CHUNK - 1) / CHUNK);
}
