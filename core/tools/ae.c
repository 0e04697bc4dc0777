/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae`: looks into models, makes, checks, cuts and times them. A client of
 * core/ae.h and of nothing else.
 *
 * Exit status: 0; 1 with a sentence on standard error; 2 for wrong usage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ae.h"

#define DEFAULT_SIZE 256 /* pixels a side, where the file leaves it open */

typedef struct {
    int width, height;
} Size;

typedef struct {
    const char *name, *arguments, *summary;
    gboolean (*run)(int argc, char **argv, const char *usage, GError **error);
} Command;

/* Reads the options; what is left in @argv are @min to @max arguments. */
static gboolean parse(const GOptionEntry *entries, const char *usage, int min,
                      int max, int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(usage);

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (*argc - 1 >= min && *argc - 1 <= max)
        return TRUE;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                "'ae %s' was expected", usage);
    return FALSE;
}

/* FALSE, as wrong usage, where @option is NULL. */
static gboolean require(const char *option, const char *problem, GError **error)
{
    if (option == NULL)
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                            problem);
    return option != NULL;
}

/* "WIDTHxHEIGHT"; NULL leaves @size. */
static gboolean parse_size(const char *text, Size *size, GError **error)
{
    char end;

    if (text == NULL)
        return TRUE;
    if (sscanf(text, "%dx%d%c", &size->width, &size->height, &end) == 2 &&
        size->width > 0 && size->height > 0)
        return TRUE;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "'%s' is not a size: 640x480 would be one", text);
    return FALSE;
}

/* A path, or the name of a built-in model where there is no such file. */
static AeModel *load(const char *name, GError **error)
{
    if (g_file_test(name, G_FILE_TEST_EXISTS) || strchr(name, '/') != NULL ||
        g_str_has_suffix(name, ".onnx"))
        return ae_onnx_load(name, error);
    return ae_builtin_load(name, error);
}

/* The declared shape with what it leaves open filled in. */
static gboolean complete_shape(const AeValue *value, Size size, AeShape *shape,
                               GError **error)
{
    int64_t fill[4] = {1, AE_UNKNOWN, size.height, size.width};

    *shape = value->shape;
    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] == AE_UNKNOWN && (i == 0 || shape->rank == 4))
            shape->dim[i] = fill[i];
    for (int i = 0; value->has_shape && i < shape->rank; i++)
        if (shape->dim[i] == AE_UNKNOWN) {
            g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                        "input '%s' leaves the size of axis %d open",
                        value->name, i);
            return FALSE;
        }
    if (!value->has_shape)
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE, "input '%s' has no shape",
                    value->name);
    return value->has_shape;
}

static AePlan *plan(AeModel *model, Size size, AePool *pool, GError **error)
{
    guint n = model->inputs->len;
    g_autofree AeShape *shapes = g_new0(AeShape, n);
    AePlanOptions options = {
        .shapes = shapes, .n_inputs = (int)n, .pool = pool};

    for (guint i = 0; i < n; i++) {
        const AeValue *value =
            ae_model_value(model, ae_model_input(model, (int)i));

        if (!complete_shape(value, size, &shapes[i], error))
            return NULL;
    }
    return ae_plan_new(model, &options, error);
}

static void print_values(const AeModel *model, const char *title,
                         const GArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        const AeValue *value =
            ae_model_value(model, g_array_index(list, int, i));
        g_autofree char *shape = ae_shape_to_string(&value->shape);

        printf("%-12s%s %s\n", title, value->name,
               value->has_shape ? shape : "");
    }
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_metadata(const AeModel *model)
{
    guint n;
    g_autofree char **keys =
        (char **)g_hash_table_get_keys_as_array(model->metadata, &n);

    qsort(keys, n, sizeof *keys, compare_keys);
    for (guint i = 0; i < n; i++)
        printf("%-12s%s = %s\n", "metadata", keys[i],
               ae_model_get(model, keys[i]));
}

/* The number of positions that the work is divided by: pixels of the first
 * input where it is an image, otherwise 0. */
static int64_t count_pixels(const AePlan *plan)
{
    const AeShape *shape = ae_plan_input_shape(plan, 0);

    return shape->rank == 4 ? shape->dim[2] * shape->dim[3] : 0;
}

static void print_plan(const AePlan *plan)
{
    g_autofree char *steps = ae_plan_describe(plan);
    g_autofree char *shape = ae_shape_to_string(ae_plan_input_shape(plan, 0));
    int64_t work = ae_plan_multiply_adds(plan), pixels = count_pixels(plan);

    printf("%-12s%s\n%s", "planned for", shape, steps);
    printf("%-12s%" G_GINT64_FORMAT " multiply-adds", "work", work);
    if (pixels > 0)
        printf(", %.1f a pixel", (double)work / (double)pixels);
    printf("\n%-12s%.1f MiB of buffers\n", "memory",
           (double)ae_plan_memory(plan) / (1 << 20));
}

static gboolean run_info(int argc, char **argv, const char *usage,
                         GError **error)
{
    g_autofree char *text = NULL;
    const GOptionEntry entries[] = {
        {"size", 's', 0, G_OPTION_ARG_STRING, &text,
         "Size of the image where the model leaves it open", "WxH"},
        {0}};
    Size size = {DEFAULT_SIZE, DEFAULT_SIZE};
    g_autoptr(AeModel) model = NULL;
    g_autoptr(AePlan) ready = NULL;

    if (!parse(entries, usage, 1, 1, &argc, &argv, error) ||
        !parse_size(text, &size, error))
        return FALSE;
    model = load(argv[1], error);
    if (model == NULL)
        return FALSE;
    print_values(model, "input", model->inputs);
    print_values(model, "output", model->outputs);
    print_metadata(model);
    printf("%-12s%" G_GINT64_FORMAT "\n", "parameters",
           ae_model_parameters(model));
    ready = plan(model, size, NULL, error);
    if (ready != NULL)
        print_plan(ready);
    return ready != NULL;
}

static gboolean check(const char *name, Size size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeModel) model = load(name, &error);
    g_autoptr(AePlan) ready = NULL;

    if (model != NULL)
        ready = plan(model, size, NULL, &error);
    if (ready != NULL) {
        printf("%s: runs here\n", name);
        return TRUE;
    }
    if (model != NULL)
        g_prefix_error(&error, "%s: ", name);
    fprintf(stderr, "%s\n", error->message);
    return FALSE;
}

static gboolean run_check(int argc, char **argv, const char *usage,
                          GError **error)
{
    g_autofree char *text = NULL;
    const GOptionEntry entries[] = {
        {"size", 's', 0, G_OPTION_ARG_STRING, &text,
         "Size of the image where a model leaves it open", "WxH"},
        {0}};
    Size size = {DEFAULT_SIZE, DEFAULT_SIZE};
    int failed = 0;

    if (!parse(entries, usage, 1, G_MAXINT, &argc, &argv, error) ||
        !parse_size(text, &size, error))
        return FALSE;
    for (int i = 1; i < argc; i++)
        failed += !check(argv[i], size);
    if (failed > 0)
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "%d of %d models cannot run here", failed, argc - 1);
    return failed == 0;
}

/* The decoder's input has the shape of the encoder's output, open where the
 * size of the image is. */
static gboolean declare_latent(AeModel *encoder, AeModel *decoder,
                               GError **error)
{
    const Size size = {DEFAULT_SIZE, DEFAULT_SIZE};
    const AeShape *image =
        &ae_model_value(encoder, ae_model_input(encoder, 0))->shape;
    AeValue *latent = ae_model_value(decoder, ae_model_input(decoder, 0));
    g_autoptr(AePlan) ready = plan(encoder, size, NULL, error);

    if (ready == NULL)
        return FALSE;
    latent->shape = *ae_plan_output_shape(ready, 0);
    latent->has_shape = TRUE;
    for (int i = 0; i < MIN(latent->shape.rank, image->rank); i++)
        if (image->dim[i] == AE_UNKNOWN)
            latent->shape.dim[i] = AE_UNKNOWN;
    return TRUE;
}

static gboolean save_part(const AeModel *part, const char *base,
                          const char *suffix, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s-%s.onnx", base, suffix);

    return ae_onnx_save(part, path, error);
}

static gboolean split(const AeModel *model, const char *at, const char *base,
                      GError **error)
{
    g_autoptr(AeModel) encoder = ae_model_cut(model, NULL, at, error);
    g_autoptr(AeModel) decoder =
        encoder != NULL ? ae_model_cut(model, at, NULL, error) : NULL;

    return decoder != NULL && declare_latent(encoder, decoder, error) &&
           save_part(encoder, base, "encoder", error) &&
           save_part(decoder, base, "decoder", error);
}

static gboolean run_split(int argc, char **argv, const char *usage,
                          GError **error)
{
    g_autofree char *at = NULL, *base = NULL;
    const GOptionEntry entries[] = {
        {"at", 0, 0, G_OPTION_ARG_STRING, &at,
         "The value between the halves (default: the metadata ae.latent)",
         "VALUE"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &base,
         "Writes BASE-encoder.onnx and BASE-decoder.onnx", "BASE"},
        {0}};
    g_autoptr(AeModel) model = NULL;

    if (!parse(entries, usage, 1, 1, &argc, &argv, error) ||
        !require(base, "--output is missing", error))
        return FALSE;
    model = load(argv[1], error);
    if (model == NULL)
        return FALSE;
    if (at == NULL)
        at = g_strdup(ae_model_get(model, "ae.latent"));
    if (!require(at, "the model has no metadata ae.latent: say --at", error))
        return FALSE;
    return split(model, at, base, error);
}

/* Floating-point operations of all threads together. */
typedef struct {
    const AeKernels *kernels;
    int64_t operations;
} Peak;

static void peak_task(void *data, int64_t index, int thread)
{
    Peak *peak = data;
    float sink[64];

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
        ready = plan(model, size, pool, error);
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

static gboolean run_bench(int argc, char **argv, const char *usage,
                          GError **error)
{
    g_autofree char *text = NULL, *inputs = NULL;
    int threads = 0;
    double seconds = 3;
    const GOptionEntry entries[] = {
        {"size", 's', 0, G_OPTION_ARG_STRING, &text,
         "Size of the image where the model leaves it open", "WxH"},
        {"inputs", 'i', 0, G_OPTION_ARG_FILENAME, &inputs,
         "Tensors to run on, as for `ae run`, instead of one random image",
         "IN.safetensors"},
        {"threads", 't', 0, G_OPTION_ARG_INT, &threads,
         "Threads (default: one a processor)", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds,
         "How long (default: 3)", "S"},
        {0}};
    Size size = {1280, 720};
    g_autoptr(AeModel) model = NULL;
    g_autoptr(AePool) pool = NULL;
    g_autoptr(AePlan) ready = NULL;

    if (!parse(entries, usage, 1, 1, &argc, &argv, error) ||
        !parse_size(text, &size, error))
        return FALSE;
    model = load(argv[1], error);
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
static gboolean run_run(int argc, char **argv, const char *usage,
                        GError **error)
{
    const GOptionEntry entries[] = {{0}};
    g_autoptr(AeModel) model = NULL;
    g_autoptr(AeSafetensors) file = NULL;
    g_autoptr(AePlan) ready = NULL;

    if (!parse(entries, usage, 3, 3, &argc, &argv, error))
        return FALSE;
    model = load(argv[1], error);
    if (model == NULL)
        return FALSE;
    file = ae_safetensors_load(argv[2], error);
    if (file == NULL)
        return FALSE;
    ready = plan_tensors(model, file, NULL, error);
    if (ready == NULL)
        return FALSE;
    copy_inputs(ready, model, file);
    ae_plan_run(ready);
    return save_outputs(ready, model, argv[3], error);
}

static gboolean run_new(int argc, char **argv, const char *usage,
                        GError **error)
{
    g_autofree char *path = NULL;
    gint64 seed = 1;
    AeArchitectureOptions options = {0};
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &path, "File to write",
         "MODEL.onnx"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Of the weights (default: 1)",
         "N"},
        {"channels", 'c', 0, G_OPTION_ARG_INT, &options.channels,
         "Of the image: 1 (default) or 3", "C"},
        {"latent-size", 0, 0, G_OPTION_ARG_INT, &options.latent_size,
         "Values of the code", "N"},
        {"hidden-size", 0, 0, G_OPTION_ARG_INT, &options.hidden_size,
         "Units of the dense layers around the code", "N"},
        {"classes", 0, 0, G_OPTION_ARG_INT, &options.classes,
         "Labels of a conditional network", "N"},
        {0}};
    g_autoptr(AeModel) model = NULL;

    if (!parse(entries, usage, 1, 1, &argc, &argv, error) ||
        !require(path, "--output is missing", error))
        return FALSE;
    options.seed = (uint64_t)seed;
    model = ae_architecture_new(argv[1], &options, error);
    return model != NULL && ae_onnx_save(model, path, error);
}

/* quantize MODEL --calibrate FILE... -o OUT.onnx: the option takes the first
 * file, the others are left as arguments. */
static gboolean run_quantize(int argc, char **argv, const char *usage,
                             GError **error)
{
    g_autofree char *path = NULL, *first = NULL;
    const GOptionEntry entries[] = {
        {"calibrate", 0, 0, G_OPTION_ARG_FILENAME, &first,
         "PNG and idx files like what the model will see", "FILE..."},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &path, "File to write",
         "OUT.onnx"},
        {0}};
    g_autoptr(AeModel) model = NULL, result = NULL;
    g_autoptr(GPtrArray) samples = NULL;

    if (!parse(entries, usage, 1, G_MAXINT, &argc, &argv, error) ||
        !require(first, "--calibrate is missing", error) ||
        !require(path, "--output is missing", error))
        return FALSE;
    model = load(argv[1], error);
    if (model == NULL)
        return FALSE;
    argv[1] = first;
    argv[argc] = NULL;
    samples = ae_calibration_load(model, argv + 1, error);
    if (samples != NULL)
        result = ae_quantize(model, samples, error);
    return result != NULL && ae_onnx_save(result, path, error);
}

static AeImage **load_images(char *const *paths, int n, GError **error)
{
    AeImage **images = g_new0(AeImage *, n + 1);

    for (int i = 0; i < n; i++) {
        images[i] = ae_image_load_png(paths[i], error);
        if (images[i] == NULL)
            break;
    }
    return images;
}

static void free_images(AeImage **images, int n)
{
    for (int i = 0; i < n; i++)
        ae_image_free(images[i]);
    g_free(images);
}

static gboolean save_grid(const char *path, int rows, int columns,
                          char *const *names, int n, char **captions, int zoom,
                          GError **error)
{
    int cells = MAX(rows * columns, n);
    AeImage **images = load_images(names, n, error);
    gboolean loaded = n == 0 || images[n - 1] != NULL;
    g_autoptr(AeImage) grid = NULL;

    images = g_renew(AeImage *, images, cells);
    memset(images + n, 0, (gsize)(cells - n) * sizeof *images);
    if (loaded)
        grid = ae_figure_grid(images, rows, columns,
                              (const char *const *)captions, zoom);
    free_images(images, cells);
    return grid != NULL && ae_image_save_png(grid, path, error);
}

/* figure grid OUT.png ROWSxCOLUMNS IMAGE... */
static gboolean run_figure(int argc, char **argv, const char *usage,
                           GError **error)
{
    g_auto(GStrv) captions = NULL;
    g_autofree char *text = NULL;
    int zoom = 1;
    const GOptionEntry entries[] = {{"captions", 0, 0, G_OPTION_ARG_STRING,
                                     &text, "One a column, separated by commas",
                                     "A,B,C"},
                                    {"zoom", 0, 0, G_OPTION_ARG_INT, &zoom,
                                     "Times larger (default: 1)", "N"},
                                    {0}};
    Size grid = {0}; /* rows are its width */

    if (!parse(entries, usage, 3, G_MAXINT, &argc, &argv, error) ||
        !parse_size(argv[3], &grid, error))
        return FALSE;
    if (strcmp(argv[1], "grid") != 0)
        return require(NULL, "the only figure is 'grid'", error);
    if (zoom < 1 || zoom > 64 || grid.width > 1000 || grid.height > 1000)
        return require(NULL, "at most 1000x1000 images, 64 times larger",
                       error);
    if (argc - 4 > grid.width * grid.height)
        return require(NULL, "there are more images than places", error);
    if (text != NULL) {
        captions = g_strsplit(text, ",", -1);
        if (g_strv_length(captions) != (guint)grid.height)
            return require(NULL, "there must be one caption a column", error);
    }
    return save_grid(argv[2], grid.width, grid.height, argv + 4, argc - 4,
                     captions, zoom, error);
}

static const Command commands[] = {
    {"info", "info MODEL", "what a model is made of, and what it costs",
     run_info},
    {"check", "check MODEL...",
     "whether models run here, or which node does "
     "not",
     run_check},
    {"split", "split MODEL -o BASE",
     "encoder and decoder as files of their own", run_split},
    {"bench", "bench MODEL",
     "frames a second, beside what the processor can do", run_bench},
    {"run", "run MODEL IN.safetensors OUT.safetensors",
     "outputs of the tensors that are named as the inputs are", run_run},
    {"new", "new ARCHITECTURE -o MODEL.onnx", "a network with fresh weights",
     run_new},
    {"quantize", "quantize MODEL --calibrate FILE... -o OUT.onnx",
     "the model in 8 bits (QDQ)", run_quantize},
    {"figure", "figure grid OUT.png ROWSxCOLUMNS IMAGE...",
     "images side by side", run_figure},
};

static int usage(FILE *file)
{
    g_autofree char *models = g_strjoinv(", ", (char **)ae_builtin_names());
    g_autofree char *networks =
        g_strjoinv(", ", (char **)ae_architecture_names());

    fputs("usage:\n", file);
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        fprintf(file, "  ae %-45s %s\n", commands[i].arguments,
                commands[i].summary);
    fprintf(file,
            "\nMODEL is an ONNX file or a built-in name (%s);\n"
            "ARCHITECTURE one of: %s.\n"
            "ae COMMAND --help tells a command's options.\n",
            *models != '\0' ? models : "none", networks);
    return file == stdout ? 0 : 2;
}

static int run(const Command *command, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (command->run(argc, argv, command->arguments, &error))
        return 0;
    fprintf(stderr, "ae: %s\n", error->message);
    return error->domain == G_OPTION_ERROR ? 2 : 1;
}

int main(int argc, char **argv)
{
    g_set_prgname("ae");
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run(&commands[i], argc - 1, argv + 1);
    return usage(stderr);
}
