/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae figure manifold`, `interpolate` and `labels`: what a decoder makes of
 * latents on a plane, between two images, or with each label. */
#include <string.h>

#include "tools/ae-codec.h"
#include "tools/ae-tool.h"

/* The images that the decoder makes of @codes: AeImage, pixels in @bytes. */
static GPtrArray *decode_images(const Codec *codec, const AeTensor *codes,
                                const uint8_t *labels, AeIdx **bytes,
                                GError **error)
{
    GPtrArray *images;

    *bytes = codec_decode_bytes(codec, codes, labels, error);
    if (*bytes == NULL)
        return NULL;
    images = g_ptr_array_new_with_free_func(g_free);
    for (int64_t i = 0; i < (*bytes)->dim[0]; i++) {
        const AeImage image = codec_image_of(*bytes, i);

        g_ptr_array_add(images, g_memdup2(&image, sizeof image));
    }
    return images;
}

/* @count times the label @label; NULL if it is negative. Free. */
static uint8_t *repeat_label(int label, int64_t count)
{
    uint8_t *labels = label >= 0 ? g_new(uint8_t, count) : NULL;

    if (labels != NULL)
        memset(labels, label, (gsize)count);
    return labels;
}

/* A tensor of zeros for @count codes. */
static AeTensor *new_codes(const Codec *codec, int64_t count, GError **error)
{
    AeShape shape;

    if (!codec_shape(codec, &shape, error))
        return NULL;
    shape.dim[0] = count;
    return ae_tensor_new(&shape, error);
}

/* @count x @count codes of two values, the first changing slowly. */
static AeTensor *manifold_codes(const Codec *codec, int count, float range,
                                GError **error)
{
    AeTensor *codes = new_codes(codec, (int64_t)count * count, error);

    if (codes == NULL)
        return NULL;
    if (ae_shape_elements(&codes->shape) != 2 * codes->shape.dim[0]) {
        g_set_error(
            error, AE_ERROR, AE_ERROR_SHAPE,
            "a code of two values was expected, not of %" G_GINT64_FORMAT,
            ae_shape_elements(&codes->shape) / codes->shape.dim[0]);
        ae_tensor_free(codes);
        return NULL;
    }
    for (int i = 0; i < count * count; i++) {
        codes->data[2 * i] = ae_path_between(-range, range, i / count, count);
        codes->data[2 * i + 1] =
            ae_path_between(-range, range, i % count, count);
    }
    return codes;
}

static gboolean run_manifold(Arguments *args, GError **error)
{
    int count = 10, label = -1;
    double range = 1;
    const GOptionEntry entries[] = {
        {"count", 0, 0, G_OPTION_ARG_INT, &count,
         "Images in a row and in a column (default: 10)", "N"},
        {"range", 0, 0, G_OPTION_ARG_DOUBLE, &range,
         "Both values of the latent go from -R to R (default: 1)", "R"},
        {"label", 0, 0, G_OPTION_ARG_INT, &label,
         "Label of all images, for a conditional model", "N"},
        {0}};
    g_autoptr(Codec) codec = NULL;
    g_autoptr(AeTensor) codes = NULL;
    g_autoptr(GPtrArray) images = NULL;
    g_autoptr(AeIdx) bytes = NULL;

    if (!tool_parse(args, entries, 1, 1, error))
        return FALSE;
    if (count < 2 || count > 100 || !(range > 0) || label > 255)
        return tool_refuse(
            error, "--count is 2 to 100, --range above 0, --label at most 255");
    codec = codec_load(args->argv[1], error);
    if (codec != NULL)
        codes = manifold_codes(codec, count, (float)range, error);
    if (codes == NULL)
        return FALSE;
    g_autofree uint8_t *labels = repeat_label(label, codes->shape.dim[0]);
    images = decode_images(codec, codes, labels, &bytes, error);
    if (images == NULL)
        return FALSE;
    const AeImage *first = g_ptr_array_index(images, 0);
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    ae_figure_manifold(canvas, (AeImage *const *)images->pdata, count, range,
                       tool_choose_zoom(first->width, count, 4));
    return tool_save_canvas(canvas, args->output, error);
}

/* @count codes on the straight line from @a to @b. */
static AeTensor *line_codes(const AeTensor *a, const AeTensor *b, int count,
                            GError **error)
{
    const int64_t size = ae_shape_elements(&a->shape);
    AeShape shape = a->shape;
    AeTensor *codes;

    shape.dim[0] = count;
    codes = ae_tensor_new(&shape, error);
    for (int64_t i = 0; codes != NULL && i < count * size; i++) {
        float t = (float)(i / size) / (float)(count - 1);

        codes->data[i] = (1 - t) * a->data[i % size] + t * b->data[i % size];
    }
    return codes;
}

/* The two images with the decoded ones between them, in a row. */
static void draw_strip(cairo_t *canvas, const AeIdx *idx, const gint64 *ends,
                       GPtrArray *between)
{
    const int columns = (int)between->len + 2;
    AeImage from = codec_image_of(idx, ends[0]),
            to = codec_image_of(idx, ends[1]);
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

static gboolean parse_index(const char *text, int64_t n, gint64 *index,
                            GError **error)
{
    char *end;

    *index = g_ascii_strtoll(text, &end, 10);
    if (end != text && *end == '\0' && *index >= 0 && *index < n)
        return TRUE;
    return tool_refuse(
        error, "'%s' is not the number of an image, 0 to %" G_GINT64_FORMAT,
        text, n - 1);
}

static gboolean run_interpolate(Arguments *args, GError **error)
{
    int count = 9, label = -1;
    const GOptionEntry entries[] = {
        {"count", 0, 0, G_OPTION_ARG_INT, &count,
         "Decoded images, with both ends (default: 9)", "N"},
        {"label", 0, 0, G_OPTION_ARG_INT, &label,
         "Label of all images, for a conditional model", "N"},
        {0}};
    g_autoptr(Codec) codec = NULL;
    g_autoptr(AeIdx) idx = NULL, bytes = NULL;
    g_autoptr(AeTensor) a = NULL, b = NULL, codes = NULL;
    g_autoptr(GPtrArray) images = NULL;
    gint64 ends[2];

    if (!tool_parse(args, entries, 4, 4, error))
        return FALSE;
    if (count < 2 || count > 100 || label > 255)
        return tool_refuse(error, "--count is 2 to 100, --label at most 255");
    g_autofree uint8_t *labels = repeat_label(label, count);
    codec = codec_load(args->argv[1], error);
    if (codec != NULL)
        idx = ae_idx_load(args->argv[2], error);
    if (idx == NULL ||
        !parse_index(args->argv[3], idx->dim[0], &ends[0], error) ||
        !parse_index(args->argv[4], idx->dim[0], &ends[1], error))
        return FALSE;
    a = codec_encode(codec, idx, ends[0], 1, labels, error);
    b = a != NULL ? codec_encode(codec, idx, ends[1], 1, labels, error) : NULL;
    if (b != NULL)
        codes = line_codes(a, b, count, error);
    if (codes != NULL)
        images = decode_images(codec, codes, labels, &bytes, error);
    if (images == NULL)
        return FALSE;
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    draw_strip(canvas, idx, ends, images);
    return tool_save_canvas(canvas, args->output, error);
}

/* @count random codes, the same for each of @rows rows. */
static AeTensor *random_codes(const Codec *codec, int rows, int count,
                              uint64_t seed, GError **error)
{
    AeTensor *codes = new_codes(codec, (int64_t)rows * count, error);
    AeRandom random = ae_random(seed, 0);
    int64_t n;

    if (codes == NULL)
        return NULL;
    n = ae_shape_elements(&codes->shape) / rows;
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

static gboolean run_labels(Arguments *args, GError **error)
{
    int count = 10;
    gint64 seed = 1;
    const GOptionEntry entries[] = {
        {"count", 0, 0, G_OPTION_ARG_INT, &count,
         "Random latents, one a column (default: 10)", "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed,
         "Seed of the latents (default: 1)", "N"},
        {0}};
    g_autoptr(Codec) codec = NULL;
    g_autoptr(AeTensor) codes = NULL;
    g_autoptr(GPtrArray) images = NULL;
    g_autoptr(AeIdx) bytes = NULL;
    g_autofree uint8_t *labels = NULL;

    if (!tool_parse(args, entries, 1, 1, error))
        return FALSE;
    if (count < 1 || count > 100)
        return tool_refuse(error, "--count is 1 to 100");
    codec = codec_load(args->argv[1], error);
    if (codec == NULL)
        return FALSE;
    if (codec->classes == 0) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "%s: it is not conditional: it takes no label",
                    args->argv[1]);
        return FALSE;
    }
    codes = random_codes(codec, codec->classes, count, (uint64_t)seed, error);
    labels = g_new(uint8_t, (gsize)codec->classes * (gsize)count);
    for (int i = 0; i < codec->classes * count; i++)
        labels[i] = (uint8_t)(i / count);
    if (codes != NULL)
        images = decode_images(codec, codes, labels, &bytes, error);
    if (images == NULL)
        return FALSE;
    g_autoptr(cairo_t) canvas = ae_canvas_new();
    draw_sheet(canvas, images, codec->classes, count);
    return tool_save_canvas(canvas, args->output, error);
}

const Command decode_figure_commands[] = {
    {"figure manifold", "figure manifold MODEL -o OUT.png",
     "decodes a plane of latents of two values", run_manifold},
    {"figure interpolate", "figure interpolate MODEL IMAGES.idx A B -o OUT.png",
     "decodes the line between the latents of two images", run_interpolate},
    {"figure labels", "figure labels MODEL -o OUT.png",
     "decodes the same random latents with each label", run_labels},
    {0},
};
