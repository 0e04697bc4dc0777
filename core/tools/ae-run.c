/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae run` and `ae bench`. */
#include <stdio.h>
#include <string.h>

#include "tools/ae-tool.h"

/* Floating-point operations of all threads together. */
typedef struct {
    const AeKernels *kernels;
    int64_t operations;
} Peak;

static void peak_task(void *data, int64_t index G_GNUC_UNUSED,
                      int thread G_GNUC_UNUSED)
{
    Peak *peak = data;
    float sink[64] = {0.5f, 1}; /* no denormal numbers, which are slow */

    __atomic_fetch_add(&peak->operations, peak->kernels->peak(1 << 20, sink),
                       __ATOMIC_RELAXED);
}

/* GFLOP/s of fused multiply-adds on registers: the best of some rounds. */
static double measure_peak(AePool *pool)
{
    double best = 0;

    for (int round = 0; round < 10; round++) {
        Peak peak = {ae_kernels_get(), 0};
        gint64 begin = g_get_monotonic_time();

        ae_pool_run(pool, peak_task, &peak, ae_pool_threads(pool));
        best = MAX(best, (double)peak.operations * 1e-3 /
                             (double)(g_get_monotonic_time() - begin));
    }
    return best;
}

/* The tensor of @file for input @i, with its shape. */
static gboolean find_input(const AeModel *model, const AeSafetensors *file,
                           int i, const AeTensor **tensor, GError **error)
{
    const char *name = ae_model_value(model, ae_model_input(model, i))->name;

    *tensor = ae_safetensors_find(file, name);
    if (*tensor == NULL)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "the file of inputs has no tensor '%s'", name);
    return *tensor != NULL;
}

static AePlan *plan_tensors(AeModel *model, const AeSafetensors *file,
                            AePool *pool, GError **error)
{
    guint n = model->inputs->len;
    g_autofree AeShape *shapes = g_new0(AeShape, n);
    AePlanOptions options = {
        .shapes = shapes, .n_inputs = (int)n, .pool = pool};
    const AeTensor *tensor;

    for (guint i = 0; i < n; i++) {
        if (!find_input(model, file, (int)i, &tensor, error))
            return NULL;
        shapes[i] = tensor->shape;
    }
    return ae_plan_new(model, &options, error);
}

static void copy_inputs(AePlan *plan, const AeModel *model,
                        const AeSafetensors *file)
{
    for (guint i = 0; i < model->inputs->len; i++) {
        const AeTensor *tensor = NULL;

        find_input(model, file, (int)i, &tensor, NULL);
        memcpy(ae_plan_input(plan, (int)i), tensor->data,
               (gsize)ae_shape_elements(&tensor->shape) * sizeof(float));
    }
}

static void fill(AePlan *plan, guint inputs)
{
    AeRandom random = ae_random(1, 0);

    for (guint i = 0; i < inputs; i++) {
        int64_t n = ae_shape_elements(ae_plan_input_shape(plan, (int)i));

        for (int64_t j = 0; j < n; j++)
            ae_plan_input(plan, (int)i)[j] = ae_random_uniform(&random);
    }
}

/* The plan of `ae bench`: for the tensors of @path, or for random ones. */
static AePlan *plan_filled(AeModel *model, const char *path, Size size,
                           AePool *pool, GError **error)
{
    g_autoptr(AeSafetensors) file = NULL;
    AePlan *ready;

    if (path == NULL) {
        ready = tool_plan(model, size, pool, error);
        if (ready != NULL)
            fill(ready, model->inputs->len);
        return ready;
    }
    file = ae_safetensors_load(path, error);
    if (file == NULL)
        return NULL;
    ready = plan_tensors(model, file, pool, error);
    if (ready != NULL)
        copy_inputs(ready, model, file);
    return ready;
}

/* Images of a batch; 1 where the input is no image. */
static int64_t count_frames(const AePlan *plan)
{
    const AeShape *shape = ae_plan_input_shape(plan, 0);

    return shape->rank == 4 ? shape->dim[0] : 1;
}

static void bench(AePlan *plan, AePool *pool, double seconds)
{
    double elapsed, speed, peak = measure_peak(pool);
    int64_t runs = 0, frames;
    gint64 begin;

    ae_plan_run(plan); /* touches the memory */
    begin = g_get_monotonic_time();
    do {
        ae_plan_run(plan);
        runs++;
        elapsed = (double)(g_get_monotonic_time() - begin) * 1e-6;
    } while (elapsed < seconds);
    peak = MAX(peak, measure_peak(pool));
    frames = runs * count_frames(plan);
    speed = 2e-9 * (double)(runs * ae_plan_multiply_adds(plan)) / elapsed;
    printf("%.2f frames/s, %.2f ms a frame, %.1f GFLOP/s, %.0f %% of %.1f "
           "GFLOP/s (fused multiply-adds, %s, threads: %d)\n",
           (double)frames / elapsed, elapsed / (double)frames * 1e3, speed,
           speed / peak * 100, peak, ae_kernels_get()->name,
           ae_pool_threads(pool));
}

static gboolean run_bench(Arguments *args, GError **error)
{
    g_autofree char *text = NULL, *inputs = NULL;
    int threads = 0;
    double seconds = 3;
    const GOptionEntry entries[] = {
        {"size", 's', 0, G_OPTION_ARG_STRING, &text,
         "Size of the image where the model leaves it open", "WxH"},
        {"inputs", 'i', 0, G_OPTION_ARG_FILENAME, &inputs,
         "Runs on tensors, as 'ae run', instead of a random image",
         "IN.safetensors"},
        {"threads", 't', 0, G_OPTION_ARG_INT, &threads,
         "Number of threads (default: one a processor)", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds,
         "Duration in seconds (default: 3)", "S"},
        {0}};
    Size size = {1280, 720};
    g_autoptr(AeModel) model = NULL;
    g_autoptr(AePool) pool = NULL;
    g_autoptr(AePlan) ready = NULL;

    if (!tool_parse(args, entries, 1, 1, error) ||
        !tool_parse_size(text, &size, error))
        return FALSE;
    model = tool_load_model(args->argv[1], error);
    if (model == NULL)
        return FALSE;
    pool = ae_pool_new(CLAMP(threads, 0, 256));
    ready = plan_filled(model, inputs, size, pool, error);
    if (ready == NULL)
        return FALSE;
    bench(ready, pool, seconds);
    return TRUE;
}

static gboolean save_outputs(const AePlan *plan, const AeModel *model,
                             const char *path, GError **error)
{
    g_autoptr(AeSafetensors) file = ae_safetensors_new();

    for (guint i = 0; i < model->outputs->len; i++) {
        int value = g_array_index(model->outputs, int, i);
        AeTensor *tensor =
            ae_tensor_new(ae_plan_output_shape(plan, (int)i), error);

        if (tensor == NULL)
            return FALSE;
        memcpy(tensor->data, ae_plan_output(plan, (int)i),
               (gsize)ae_shape_elements(&tensor->shape) * sizeof(float));
        ae_safetensors_add(file, ae_model_value(model, value)->name, tensor);
    }
    return ae_safetensors_save(file, path, error);
}

/* run MODEL IN.safetensors OUT.safetensors */
static gboolean run_run(Arguments *args, GError **error)
{
    g_autoptr(AeModel) model = NULL;
    g_autoptr(AeSafetensors) file = NULL;
    g_autoptr(AePlan) ready = NULL;

    if (!tool_parse(args, NULL, 3, 3, error))
        return FALSE;
    model = tool_load_model(args->argv[1], error);
    if (model == NULL)
        return FALSE;
    file = ae_safetensors_load(args->argv[2], error);
    if (file == NULL)
        return FALSE;
    ready = plan_tensors(model, file, NULL, error);
    if (ready == NULL)
        return FALSE;
    copy_inputs(ready, model, file);
    ae_plan_run(ready);
    return save_outputs(ready, model, args->argv[3], error);
}

const Command run_commands[] = {
    {"run", "run MODEL IN.safetensors OUT.safetensors",
     "runs a model on tensors that are named as its inputs", run_run},
    {"bench", "bench MODEL",
     "frames a second, and the part of the processor's peak", run_bench},
    {0},
};
