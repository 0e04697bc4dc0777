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
static const AeTensor *find_input(const AeModel *model,
                                  const AeSafetensors *file, guint i)
{
    const char *name =
        ae_model_value(model, ae_model_input(model, (int)i))->name;
    const AeTensor *tensor = ae_safetensors_find(file, name);

    if (tensor == NULL)
        g_set_error(&tool_error, AE_ERROR, AE_ERROR_VALUE,
                    "the file of inputs has no tensor '%s'", name);
    return tensor;
}

/* A plan for the tensors of the file @path, which its inputs hold; NULL with
 * tool_error. */
static AePlan *plan_tensors(AeModel *model, const char *path, AePool *pool)
{
    const guint n = model->inputs->len;
    g_autofree AeShape *shapes = g_new0(AeShape, n);
    const AePlanOptions options = {
        .shapes = shapes, .n_inputs = (int)n, .pool = pool};
    g_autoptr(AeSafetensors) file = ae_safetensors_load(path, &tool_error);
    AePlan *plan;

    if (file == NULL)
        return NULL;
    for (guint i = 0; i < n; i++) {
        const AeTensor *tensor = find_input(model, file, i);

        if (tensor == NULL)
            return NULL;
        shapes[i] = tensor->shape;
    }
    plan = ae_plan_new(model, &options, &tool_error);
    for (guint i = 0; plan != NULL && i < n; i++)
        memcpy(ae_plan_input(plan, (int)i), find_input(model, file, i)->data,
               (gsize)ae_shape_elements(&shapes[i]) * sizeof(float));
    return plan;
}

/* A plan for random numbers, which its inputs hold; NULL with tool_error. */
static AePlan *plan_random(AeModel *model, Size size, AePool *pool)
{
    AePlan *plan = tool_plan(model, size, pool, &tool_error);
    AeRandom random = ae_random(1, 0);

    for (int i = 0; plan != NULL && i < (int)model->inputs->len; i++) {
        int64_t n = ae_shape_elements(ae_plan_input_shape(plan, i));

        for (int64_t j = 0; j < n; j++)
            ae_plan_input(plan, i)[j] = ae_random_uniform(&random);
    }
    return plan;
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

void run_bench(Arguments *args)
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

    tool_parse(args, entries, 1, 1);
    tool_parse_size(text, &size);
    g_autoptr(AeModel) model = tool_load_model(args->argv[1]);
    g_autoptr(AePool) pool = ae_pool_new(CLAMP(threads, 0, 256));
    g_autoptr(AePlan) plan = inputs != NULL ? plan_tensors(model, inputs, pool)
                                            : plan_random(model, size, pool);
    if (plan == NULL) /* threads end before the program does */
        g_clear_pointer(&pool, ae_pool_free);
    tool_check(plan != NULL);
    bench(plan, pool, seconds);
}

static void save_outputs(const AePlan *plan, const AeModel *model,
                         const char *path)
{
    g_autoptr(AeSafetensors) file = ae_safetensors_new();

    for (int i = 0; i < (int)model->outputs->len; i++) {
        const int value = ae_model_output(model, i);
        AeTensor *tensor = tool_new_tensor(*ae_plan_output_shape(plan, i));

        memcpy(tensor->data, ae_plan_output(plan, i),
               (gsize)ae_shape_elements(&tensor->shape) * sizeof(float));
        ae_safetensors_add(file, ae_model_value(model, value)->name, tensor);
    }
    tool_check(ae_safetensors_save(file, path, &tool_error));
}

void run_run(Arguments *args)
{
    tool_parse(args, NULL, 3, 3);
    g_autoptr(AeModel) model = tool_load_model(args->argv[1]);
    g_autoptr(AePlan) plan =
        tool_need(plan_tensors(model, args->argv[2], NULL));
    ae_plan_run(plan);
    save_outputs(plan, model, args->argv[3]);
}
