/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae info`, `check`, `split`, `new`, `import` and `quantize`. */
#include <stdio.h>
#include <stdlib.h>

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

static void print_metadata(const AeModel *model)
{
    guint n;
    g_autofree char **keys =
        (char **)g_hash_table_get_keys_as_array(model->metadata, &n);

    qsort(keys, n, sizeof *keys, tool_compare_names);
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

/* Reads the option --size, described by @about, and 1 to @max arguments. */
static Size parse_with_size(Arguments *args, const char *about, int max)
{
    g_autofree char *text = NULL;
    const GOptionEntry entries[] = {
        {"size", 's', 0, G_OPTION_ARG_STRING, &text, about, "WxH"}, {0}};
    Size size = {DEFAULT_SIZE, DEFAULT_SIZE};

    tool_parse(args, entries, 1, max);
    tool_parse_size(text, &size);
    return size;
}

void run_info(Arguments *args)
{
    const Size size = parse_with_size(
        args, "Size of the image where the model leaves it open", 1);
    g_autoptr(AeModel) model = tool_load_model(args->argv[1]);

    print_values(model, "input", model->inputs);
    print_values(model, "output", model->outputs);
    print_metadata(model);
    printf("%-12s%" G_GINT64_FORMAT "\n", "parameters",
           ae_model_parameters(model));
    g_autoptr(AePlan) plan =
        tool_need(tool_plan(model, size, NULL, &tool_error));
    print_plan(plan);
}

/* A filter for frames of @size that the model takes; NULL: no video element
 * runs it on them. */
static AeFilter *plan_frames(const AeImageModel *images, Size size,
                             GError **error)
{
    const AePicture picture = ae_picture_of_bytes(
        NULL, size.width, size.height, images->channels == 3 ? 3 : 1);
    const AeFilterOptions options = {.scale = images->scale};

    return ae_filter_new(images, &picture.format, &options, error);
}

static void check_frames(const char *name, const AeImageModel *images,
                         Size size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeFilter) filter = plan_frames(images, size, &error);

    if (filter == NULL)
        printf("%s: runs here, but not on frames of %dx%d: %s\n", name,
               size.width, size.height, error->message);
    else if (images->scale == 1)
        printf("%s: runs here, in aedenoise\n", name);
    else
        printf("%s: runs here, in aesuperres: makes images %d times as large\n",
               name, images->scale);
}

/* Models for images run in elements, which fit frames of any size to them.
 * Others run on tensors. */
static gboolean check_model(const char *name, AeModel *model, Size size,
                            GError **error)
{
    g_autoptr(GError) no_images = NULL;
    g_autoptr(AeImageModel) images = ae_image_model_new(model, &no_images);
    g_autoptr(AePlan) plan = NULL;

    if (images != NULL) {
        check_frames(name, images, size);
        return TRUE;
    }
    plan = tool_plan(model, size, NULL, error);
    if (plan != NULL)
        printf("%s: runs here, but not in aedenoise or aesuperres: %s\n", name,
               no_images->message);
    return plan != NULL;
}

static gboolean check(const char *name, Size size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeModel) model = tool_open_model(name, &error);

    if (model != NULL && check_model(name, model, size, &error))
        return TRUE;
    if (model != NULL)
        fprintf(stderr, "%s: %s\n", name, error->message);
    else
        fprintf(stderr, "%s\n", error->message);
    return FALSE;
}

void run_check(Arguments *args)
{
    const Size size = parse_with_size(
        args, "Size of the image or frame (default: 256x256)", G_MAXINT);
    int failed = 0;

    for (int i = 1; i < args->argc; i++)
        failed += !check(args->argv[i], size);
    tool_require(failed == 0, "%d of %d models cannot run here", failed,
                 args->argc - 1);
}

/* Declares the shape of the code, which both halves name: that of the encoder's
 * output, open where the size of the image is. Other readers of ONNX want
 * shapes of all inputs and outputs. */
static void declare_latent(AeModel *encoder, AeModel *decoder)
{
    const Size size = {DEFAULT_SIZE, DEFAULT_SIZE};
    const AeShape *image =
        &ae_model_value(encoder, ae_model_input(encoder, 0))->shape;
    AeValue *const values[] = {
        ae_model_value(encoder, ae_model_output(encoder, 0)),
        ae_model_value(decoder, ae_model_input(decoder, 0))};
    g_autoptr(AePlan) plan =
        tool_need(tool_plan(encoder, size, NULL, &tool_error));
    AeShape shape = *ae_plan_output_shape(plan, 0);

    for (int i = 0; i < MIN(shape.rank, image->rank); i++)
        if (image->dim[i] == AE_UNKNOWN)
            shape.dim[i] = AE_UNKNOWN;
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        values[i]->shape = shape;
        values[i]->has_shape = TRUE;
    }
}

void run_split(Arguments *args)
{
    g_autofree char *at = NULL;
    const GOptionEntry entries[] = {{"at", 0, 0, G_OPTION_ARG_STRING, &at,
                                     "Cuts at this value (default: the latent)",
                                     "VALUE"},
                                    {0}};

    tool_parse(args, entries, 1, 1);
    g_autoptr(AeModel) model = tool_load_model(args->argv[1]);
    if (at == NULL) {
        const AeValue *latent =
            ae_metadata_value(model, AE_NAME_LATENT, &tool_error);

        g_prefix_error(&tool_error, "say --at: ");
        tool_check(latent != NULL);
        at = g_strdup(latent->name);
    }
    g_autoptr(AeModel) encoder =
        tool_need(ae_model_cut(model, NULL, at, &tool_error));
    g_autoptr(AeModel) decoder =
        tool_need(ae_model_cut(model, at, NULL, &tool_error));
    declare_latent(encoder, decoder);
    g_autofree char *front = g_strconcat(args->output, "-encoder.onnx", NULL);
    g_autofree char *back = g_strconcat(args->output, "-decoder.onnx", NULL);
    tool_save_model(encoder, front);
    tool_save_model(decoder, back);
}

void run_new(Arguments *args)
{
    gint64 seed = 1;
    AeArchitectureOptions options = {0};
    const GOptionEntry entries[] = {
        tool_seed_option(&seed, "Seed of the weights (default: 1)"),
        {"channels", 'c', 0, G_OPTION_ARG_INT, &options.channels,
         "Channels of the image: 1 (default) to 4; for U-Nets also 6: 4:2:0 "
         "video",
         "C"},
        tool_int_option("latent-size", &options.latent_size,
                        "Size of the latent"),
        tool_int_option("hidden-size", &options.hidden_size,
                        "Units of the dense layers beside the latent"),
        tool_int_option("classes", &options.classes,
                        "Makes the network conditional on N labels"),
        tool_int_option("scale", &options.scale, "Upscaling factor"),
        {0}};

    tool_parse(args, entries, 1, 1);
    options.seed = (uint64_t)seed;
    g_autoptr(AeModel) model =
        tool_need(ae_architecture_new(args->argv[1], &options, &tool_error));
    tool_save_model(model, args->output);
}

void run_import(Arguments *args)
{
    tool_parse(args, NULL, 1, 1);
    g_autoptr(AeSafetensors) file =
        tool_need(ae_safetensors_load(args->argv[1], &tool_error));
    g_autoptr(AeModel) model = ae_import(file, &tool_error);

    g_prefix_error(&tool_error, "%s: ", args->argv[1]);
    tool_check(model != NULL);
    tool_save_model(model, args->output);
}

/* quantize MODEL --calibrate FILE... -o OUT.onnx: the option takes the first
 * file, the others are left as arguments. */
void run_quantize(Arguments *args)
{
    g_autofree char *first = NULL;
    const GOptionEntry entries[] = {
        {"calibrate", 0, 0, G_OPTION_ARG_FILENAME, &first,
         "PNG and idx files that resemble the model's later input", "FILE..."},
        {0}};

    tool_parse(args, entries, 1, G_MAXINT);
    tool_usage(first != NULL, "--calibrate is missing");
    g_autoptr(AeModel) model = tool_load_model(args->argv[1]);
    args->argv[1] = first;
    args->argv[args->argc] = NULL;
    g_autoptr(GPtrArray) samples =
        tool_need(ae_calibration_load(model, args->argv + 1, &tool_error));
    g_autoptr(AeModel) result =
        tool_need(ae_quantize(model, samples, tool_progress, &tool_error));
    tool_save_model(result, args->output);
}
