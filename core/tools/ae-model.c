/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae info`, `check`, `split`, `new` and `quantize`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ae-tool.h"

#define DEFAULT_SIZE 256 /* pixels a side, where the file leaves it open */

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
 * input where it is an image, otherwise 0; of 4:2:0 video those of luma. */
static int64_t count_pixels(const AePlan *plan)
{
    const AeShape *shape = ae_plan_input_shape(plan, 0);
    int64_t lumas = shape->dim[1] == AE_YUV420_CHANNELS ? 4 : 1;

    return shape->rank == 4 ? shape->dim[2] * shape->dim[3] * lumas : 0;
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

static gboolean run_info(Arguments *args, GError **error)
{
    g_autofree char *text = NULL;
    const GOptionEntry entries[] = {
        {"size", 's', 0, G_OPTION_ARG_STRING, &text,
         "Size of the image where the model leaves it open", "WxH"},
        {0}};
    Size size = {DEFAULT_SIZE, DEFAULT_SIZE};
    g_autoptr(AeModel) model = NULL;
    g_autoptr(AePlan) ready = NULL;

    if (!tool_parse(args, entries, 1, 1, error) ||
        !tool_parse_size(text, &size, error))
        return FALSE;
    model = tool_load_model(args->argv[1], error);
    if (model == NULL)
        return FALSE;
    print_values(model, "input", model->inputs);
    print_values(model, "output", model->outputs);
    print_metadata(model);
    printf("%-12s%" G_GINT64_FORMAT "\n", "parameters",
           ae_model_parameters(model));
    ready = tool_plan(model, size, NULL, error);
    if (ready != NULL)
        print_plan(ready);
    return ready != NULL;
}

static gboolean check(const char *name, Size size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeModel) model = tool_load_model(name, &error);
    g_autoptr(AePlan) ready = NULL;

    if (model != NULL)
        ready = tool_plan(model, size, NULL, &error);
    if (ready != NULL) {
        printf("%s: runs here\n", name);
        return TRUE;
    }
    if (model != NULL)
        g_prefix_error(&error, "%s: ", name);
    fprintf(stderr, "%s\n", error->message);
    return FALSE;
}

static gboolean run_check(Arguments *args, GError **error)
{
    g_autofree char *text = NULL;
    const GOptionEntry entries[] = {
        {"size", 's', 0, G_OPTION_ARG_STRING, &text,
         "Size of the image where a model leaves it open", "WxH"},
        {0}};
    Size size = {DEFAULT_SIZE, DEFAULT_SIZE};
    int failed = 0;

    if (!tool_parse(args, entries, 1, G_MAXINT, error) ||
        !tool_parse_size(text, &size, error))
        return FALSE;
    for (int i = 1; i < args->argc; i++)
        failed += !check(args->argv[i], size);
    if (failed > 0)
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "%d of %d models cannot run here", failed, args->argc - 1);
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
    g_autoptr(AePlan) ready = tool_plan(encoder, size, NULL, error);

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

static gboolean run_split(Arguments *args, GError **error)
{
    g_autofree char *at = NULL;
    const GOptionEntry entries[] = {{"at", 0, 0, G_OPTION_ARG_STRING, &at,
                                     "Cuts at this value (default: the latent)",
                                     "VALUE"},
                                    {0}};
    g_autoptr(AeModel) model = NULL;
    const AeValue *latent = NULL;

    if (!tool_parse(args, entries, 1, 1, error))
        return FALSE;
    model = tool_load_model(args->argv[1], error);
    if (model == NULL)
        return FALSE;
    if (at == NULL)
        latent = ae_metadata_value(model, AE_NAME_LATENT, error);
    if (at == NULL && latent == NULL) {
        g_prefix_error(error, "say --at: ");
        return FALSE;
    }
    return split(model, at != NULL ? at : latent->name, args->output, error);
}

static gboolean run_new(Arguments *args, GError **error)
{
    gint64 seed = 1;
    AeArchitectureOptions options = {0};
    const GOptionEntry entries[] = {
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed,
         "Seed of the weights (default: 1)", "N"},
        {"channels", 'c', 0, G_OPTION_ARG_INT, &options.channels,
         "Channels of the image: 1 (default) to 4; for U-Nets also 6: 4:2:0 "
         "video",
         "C"},
        {"latent-size", 0, 0, G_OPTION_ARG_INT, &options.latent_size,
         "Size of the latent", "N"},
        {"hidden-size", 0, 0, G_OPTION_ARG_INT, &options.hidden_size,
         "Units of the dense layers beside the latent", "N"},
        {"classes", 0, 0, G_OPTION_ARG_INT, &options.classes,
         "Makes the network conditional on N labels", "N"},
        {"scale", 0, 0, G_OPTION_ARG_INT, &options.scale, "Upscaling factor",
         "N"},
        {0}};
    g_autoptr(AeModel) model = NULL;

    if (!tool_parse(args, entries, 1, 1, error))
        return FALSE;
    options.seed = (uint64_t)seed;
    model = ae_architecture_new(args->argv[1], &options, error);
    return model != NULL && ae_onnx_save(model, args->output, error);
}

/* quantize MODEL --calibrate FILE... -o OUT.onnx: the option takes the first
 * file, the others are left as arguments. */
static gboolean run_quantize(Arguments *args, GError **error)
{
    g_autofree char *first = NULL;
    const GOptionEntry entries[] = {
        {"calibrate", 0, 0, G_OPTION_ARG_FILENAME, &first,
         "PNG and idx files that resemble the model's later input", "FILE..."},
        {0}};
    g_autoptr(AeModel) model = NULL, result = NULL;
    g_autoptr(GPtrArray) samples = NULL;

    if (!tool_parse(args, entries, 1, G_MAXINT, error))
        return FALSE;
    if (first == NULL)
        return tool_refuse(error, "--calibrate is missing");
    model = tool_load_model(args->argv[1], error);
    if (model == NULL)
        return FALSE;
    args->argv[1] = first;
    args->argv[args->argc] = NULL;
    samples = ae_calibration_load(model, args->argv + 1, error);
    if (samples != NULL)
        result = ae_quantize(model, samples, tool_progress, error);
    return result != NULL && ae_onnx_save(result, args->output, error);
}

const Command model_commands[] = {
    {"info", "info MODEL", "layers, metadata, work and memory of a model",
     run_info},
    {"check", "check MODEL...",
     "tells whether models run here, or which node does not", run_check},
    {"split", "split MODEL -o BASE", "writes encoder and decoder as two files",
     run_split},
    {"new", "new ARCHITECTURE -o MODEL.onnx",
     "writes a network with random weights", run_new},
    {"quantize", "quantize MODEL --calibrate FILE... -o OUT.onnx",
     "converts a model to 8 bits (QDQ)", run_quantize},
    {0},
};
