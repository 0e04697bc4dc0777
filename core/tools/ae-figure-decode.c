/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae figure manifold`, `interpolate` and `labels`: what a decoder makes of
 * latents on a plane, between two images, or with each label. */
#include <string.h>

#include "tools/ae-codec.h"
#include "tools/ae-tool.h"

/* The images that the decoder makes of @codes: AeImage. */
static GPtrArray *decode_images(AeModel *model, const AeTensor *codes,
                                const uint8_t *labels)
{
    g_autoptr(AeIdx) bytes = codec_decode_bytes(model, codes, labels);
    GPtrArray *images =
        g_ptr_array_new_with_free_func((GDestroyNotify)ae_image_free);

    for (int64_t i = 0; i < bytes->dim[0]; i++) {
        const AeImage from = ae_idx_image(bytes, i);
        AeImage *image = tool_need(
            ae_image_new(from.width, from.height, from.channels, &tool_error));

        memcpy(image->pixels, from.pixels, ae_idx_item_size(bytes));
        g_ptr_array_add(images, image);
    }
    return images;
}

/* The option --label of a conditional model. */
static GOptionEntry label_option(int *label)
{
    return tool_int_option("label", label,
                           "Label of all images, for a conditional model");
}

/* @count times the label @label; NULL if it is negative. Free with
 * ae_free(). */
static uint8_t *repeat_label(int label, int64_t count)
{
    uint8_t *labels = label >= 0 ? tool_alloc(count, 1) : NULL;

    if (labels != NULL)
        memset(labels, label, (gsize)count);
    return labels;
}

/* @count x @count codes of two values, the first changing slowly. */
static AeTensor *manifold_codes(AeModel *model, int count, float range)
{
    AeTensor *codes = tool_new_rows(codec_shape(model), (int64_t)count * count);
    const int64_t size = ae_shape_elements(&codes->shape) / codes->shape.dim[0];

    tool_require(size == 2,
                 "a code of two values was expected, not of %" G_GINT64_FORMAT,
                 size);
    for (int i = 0; i < count * count; i++) {
        codes->data[2 * i] = ae_path_between(-range, range, i / count, count);
        codes->data[2 * i + 1] =
            ae_path_between(-range, range, i % count, count);
    }
    return codes;
}

void run_manifold(Arguments *args)
{
    int count = 10, label = -1;
    double range = 1;
    const GOptionEntry entries[] = {
        tool_int_option("count", &count,
                        "Images in a row and in a column (default: 10)"),
        {"range", 0, 0, G_OPTION_ARG_DOUBLE, &range,
         "Both values of the latent go from -R to R (default: 1)", "R"},
        label_option(&label),
        {0}};

    tool_parse(args, entries, 1, 1);
    tool_usage(count >= 2 && count <= 100 && range > 0 && label <= 255,
               "--count is 2 to 100, --range above 0, --label at most 255");
    g_autoptr(AeModel) model = codec_load(args->argv[1]);
    g_autoptr(AeTensor) codes = manifold_codes(model, count, (float)range);
    ae_autofree uint8_t *labels = repeat_label(label, codes->shape.dim[0]);
    g_autoptr(GPtrArray) images = decode_images(model, codes, labels);
    const AeImage *first = g_ptr_array_index(images, 0);
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    ae_figure_manifold(canvas, (AeImage *const *)images->pdata, count, range,
                       tool_choose_zoom(first->width, count, 4));
    tool_save_canvas(canvas, args->output);
}

/* @count codes on the straight line from @a to @b. */
static AeTensor *line_codes(const AeTensor *a, const AeTensor *b, int count)
{
    const int64_t size = ae_shape_elements(&a->shape);
    AeTensor *codes = tool_new_rows(a->shape, count);

    for (int64_t i = 0; i < count * size; i++) {
        float t = (float)(i / size) / (float)(count - 1);

        codes->data[i] = (1 - t) * a->data[i % size] + t * b->data[i % size];
    }
    return codes;
}

/* The two images with the decoded ones between them, in a row. */
static void draw_strip(cairo_t *canvas, const AeIdx *idx, const int64_t *ends,
                       GPtrArray *between)
{
    const int columns = (int)between->len + 2;
    AeImage from = ae_idx_image(idx, ends[0]), to = ae_idx_image(idx, ends[1]);
    g_autofree AeImage **images = g_new(AeImage *, columns);
    g_auto(GStrv) captions = g_new0(char *, columns + 1);

    images[0] = &from;
    images[columns - 1] = &to;
    captions[0] = g_strdup_printf("#%" G_GINT64_FORMAT, ends[0]);
    captions[columns - 1] = g_strdup_printf("#%" G_GINT64_FORMAT, ends[1]);
    for (int i = 1; i < columns - 1; i++) {
        images[i] = g_ptr_array_index(between, i - 1);
        captions[i] = g_strdup_printf("%.2f", (i - 1.0) / (columns - 3));
    }
    ae_figure_grid(canvas, images, 1, columns, (const char *const *)captions,
                   NULL, tool_choose_zoom(from.width, columns, 4));
}

static int64_t parse_index(const char *text, int64_t n)
{
    char *end;
    const int64_t index = g_ascii_strtoll(text, &end, 10);

    tool_usage(end != text && *end == '\0' && index >= 0 && index < n,
               "'%s' is not the number of an image, 0 to %" G_GINT64_FORMAT,
               text, n - 1);
    return index;
}

void run_interpolate(Arguments *args)
{
    int count = 9, label = -1;
    const GOptionEntry entries[] = {
        tool_int_option("count", &count,
                        "Decoded images, with both ends (default: 9)"),
        label_option(&label),
        {0}};

    tool_parse(args, entries, 4, 4);
    tool_usage(count >= 2 && count <= 100 && label <= 255,
               "--count is 2 to 100, --label at most 255");
    ae_autofree uint8_t *labels = repeat_label(label, count);
    g_autoptr(AeModel) model = codec_load(args->argv[1]);
    g_autoptr(AeIdx) idx = tool_load_idx(args->argv[2]);
    const int64_t ends[] = {parse_index(args->argv[3], idx->dim[0]),
                            parse_index(args->argv[4], idx->dim[0])};
    g_autoptr(AeTensor) a = codec_encode(model, idx, ends[0], 1, labels);
    g_autoptr(AeTensor) b = codec_encode(model, idx, ends[1], 1, labels);
    g_autoptr(AeTensor) codes = line_codes(a, b, count);
    g_autoptr(GPtrArray) images = decode_images(model, codes, labels);
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    draw_strip(canvas, idx, ends, images);
    tool_save_canvas(canvas, args->output);
}

/* @count random codes, the same for each of @rows rows. */
static AeTensor *random_codes(AeModel *model, int rows, int count,
                              uint64_t seed)
{
    AeTensor *codes = tool_new_rows(codec_shape(model), (int64_t)rows * count);
    const int64_t n = ae_shape_elements(&codes->shape) / rows;
    AeRandom random = ae_random(seed, 0);

    ae_random_normals(&random, codes->data, n);
    for (int row = 1; row < rows; row++)
        memcpy(codes->data + row * n, codes->data, (gsize)n * sizeof(float));
    return codes;
}

static void draw_sheet(cairo_t *canvas, GPtrArray *images, int rows, int count)
{
    const AeImage *first = g_ptr_array_index(images, 0);
    g_auto(GStrv) captions = g_new0(char *, rows + 1);

    for (int i = 0; i < rows; i++)
        captions[i] = g_strdup_printf("%d", i);
    ae_figure_grid(canvas, (AeImage *const *)images->pdata, rows, count, NULL,
                   (const char *const *)captions,
                   tool_choose_zoom(first->width, count, 2));
}

void run_labels(Arguments *args)
{
    int count = 10;
    gint64 seed = 1;
    const GOptionEntry entries[] = {
        tool_int_option("count", &count,
                        "Random latents, one a column (default: 10)"),
        tool_seed_option(&seed, "Seed of the latents (default: 1)"),
        {0}};

    tool_parse(args, entries, 1, 1);
    tool_usage(count > 0 && count <= 100, "--count is 1 to 100");
    g_autoptr(AeModel) model = codec_load(args->argv[1]);
    const int rows = codec_classes(model);
    tool_require(rows > 0, "%s: it is not conditional: it takes no label",
                 args->argv[1]);
    g_autoptr(AeTensor) codes =
        random_codes(model, rows, count, (uint64_t)seed);
    ae_autofree uint8_t *labels = tool_alloc((int64_t)rows * count, 1);
    for (int i = 0; i < rows * count; i++)
        labels[i] = (uint8_t)(i / count);
    g_autoptr(GPtrArray) images = decode_images(model, codes, labels);
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    draw_sheet(canvas, images, rows, count);
    tool_save_canvas(canvas, args->output);
}
