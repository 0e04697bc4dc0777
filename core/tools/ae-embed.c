/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae embed`, `pca`, `knn` and `error`: codes of images, and measures of how
 * much of the images they keep. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/ae-codec.h"
#include "tools/ae-tool.h"

/* Saves a row an image, in row-major order. */
static void save_codes(const AeTensor *codes, const char *path)
{
    int64_t n = codes->shape.dim[0];
    g_autoptr(AeTensor) rows =
        tool_new_tensor(ae_shape(2, n, ae_shape_elements(&codes->shape) / n));

    ae_tensor_to_row_major(codes, rows->data);
    tool_check(ae_npy_save(rows, path, &tool_error));
}

typedef struct {
    double low, high, sum;
} Spread;

static void add(Spread *spread, double value)
{
    spread->low = MIN(spread->low, value);
    spread->high = MAX(spread->high, value);
    spread->sum += value;
}

/* Mean and standard deviation of each of a code's values over all images. */
static void print_moments(const AeTensor *codes)
{
    int64_t n = codes->shape.dim[0], k = ae_shape_elements(&codes->shape) / n;
    Spread means = {INFINITY, -INFINITY, 0}, sds = means;

    for (int64_t j = 0; j < k; j++) {
        double sum = 0, squares = 0;

        for (int64_t i = 0; i < n; i++)
            sum += codes->data[i * k + j];
        for (int64_t i = 0; i < n; i++)
            squares += pow(codes->data[i * k + j] - sum / (double)n, 2);
        add(&means, sum / (double)n);
        add(&sds, sqrt(squares / (double)n));
    }
    printf("%" G_GINT64_FORMAT " codes of %" G_GINT64_FORMAT
           " values: mean %.4f (%.4f to %.4f), sd %.4f (%.4f to %.4f)\n",
           n, k, means.sum / (double)k, means.low, means.high,
           sds.sum / (double)k, sds.low, sds.high);
}

void run_embed(Arguments *args)
{
    g_autofree char *path = NULL;
    const GOptionEntry entries[] = {codec_labels_option(&path), {0}};

    tool_parse(args, entries, 2, 2);
    g_autoptr(AeModel) model = codec_load(args->argv[1]);
    g_autoptr(AeIdx) images = tool_load_idx(args->argv[2]);
    const int64_t n = images->dim[0];
    ae_autofree uint8_t *labels = codec_load_labels(path, n);
    g_autoptr(AeTensor) codes = codec_encode(model, images, 0, n, labels);
    save_codes(codes, args->output);
    print_moments(codes);
}

void run_pca(Arguments *args)
{
    int components = 2;
    const GOptionEntry entries[] = {{"components", 'k', 0, G_OPTION_ARG_INT,
                                     &components,
                                     "Number of components (default: 2)", "K"},
                                    {0}};
    double share;

    tool_parse(args, entries, 1, 1);
    g_autoptr(AeIdx) images = tool_load_idx(args->argv[1]);
    g_autoptr(AeModel) model =
        tool_need(ae_pca_new(images, components, &share, &tool_error));
    tool_save_model(model, args->output);
    printf("%d components hold %.2f %% of the variance\n", components,
           100 * share);
}

/* A matrix with a row for each item of a file of images. */
static AeTensor *rows_of(const AeIdx *images)
{
    const int64_t n = images->dim[0];
    const int64_t size = (int64_t)ae_idx_item_size(images);
    AeTensor *rows = tool_new_tensor(ae_shape(2, n, size));

    for (int64_t i = 0; i < n * size; i++)
        rows->data[i] = images->data[i] / 255.0f;
    return rows;
}

/* A matrix with a row for each code (.npy) or image (idx). */
static AeTensor *load_rows(const char *path)
{
    g_autoptr(GBytes) bytes = tool_need(ae_file_read(path, &tool_error));
    g_autoptr(AeIdx) images = NULL;
    AeTensor *rows;
    size_t size;
    const char *data = g_bytes_get_data(bytes, &size);

    if (size > 0 && *data == '\x93') {
        rows = tool_need(ae_npy_parse(data, size, path, &tool_error));
    } else {
        images = tool_need(ae_idx_parse(data, size, path, &tool_error));
        rows = rows_of(images);
    }
    tool_require(rows->shape.rank == 2 && rows->shape.dim[0] > 0,
                 "%s: a matrix with a row an image was expected", path);
    return rows;
}

enum { ROWS = 2048 /* classified between two lines of progress */ };

/* The label of each of @rows by a vote of its @k nearest @known rows. Free
 * with ae_free(). */
static uint8_t *classify(const AeTensor *known, const uint8_t *labels,
                         const AeTensor *rows, int k)
{
    const int64_t n = rows->shape.dim[0], d = rows->shape.dim[1];
    uint8_t *answers = tool_alloc(n, 1);
    g_autoptr(AePool) pool = ae_pool_new(0);

    for (int64_t i = 0; i < n; i += ROWS) {
        const AeTensor part = {.shape = ae_shape(2, MIN(ROWS, n - i), d),
                               .data = rows->data + i * d};

        tool_progress(i, n);
        tool_check(ae_neighbours_classify(known, labels, &part, k, answers + i,
                                          pool, &tool_error));
    }
    tool_progress(n, n);
    return answers;
}

void run_knn(Arguments *args)
{
    int64_t right = 0;
    int k = 7;
    const GOptionEntry entries[] = {{"neighbours", 'k', 0, G_OPTION_ARG_INT, &k,
                                     "Number of neighbours (default: 7)", "K"},
                                    {0}};

    tool_parse(args, entries, 4, 4);
    g_autoptr(AeTensor) known = load_rows(args->argv[1]);
    ae_autofree uint8_t *known_labels =
        codec_load_labels(args->argv[2], known->shape.dim[0]);
    g_autoptr(AeTensor) test = load_rows(args->argv[3]);
    const int64_t n = test->shape.dim[0];
    ae_autofree uint8_t *labels = codec_load_labels(args->argv[4], n);
    tool_require(
        known->shape.dim[1] == test->shape.dim[1],
        "%s has rows of %" G_GINT64_FORMAT " numbers, %s of %" G_GINT64_FORMAT,
        args->argv[1], known->shape.dim[1], args->argv[3], test->shape.dim[1]);
    tool_usage(k > 0 && k <= MIN(AE_MAX_NEIGHBOURS, known->shape.dim[0]),
               "-k is 1 to 100, and at most the number of rows");
    ae_autofree uint8_t *answers = classify(known, known_labels, test, k);
    for (int64_t i = 0; i < n; i++)
        right += answers[i] == labels[i];
    printf("accuracy %.4f (%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
           ", nearest: %d)\n",
           (double)right / (double)n, right, n, k);
}

/* The mean squared error of each image of the file @path after encoding and
 * decoding; @n is their number. Free with
 * ae_free(). */
static double *measure_errors(AeModel *model, const char *path,
                              const char *label_path, int64_t *n)
{
    g_autoptr(AeIdx) images = tool_load_idx(path);
    const int64_t size = (int64_t)ae_idx_item_size(images);
    double *errors;

    *n = images->dim[0];
    ae_autofree uint8_t *labels = codec_load_labels(label_path, *n);
    g_autoptr(AeTensor) codes = codec_encode(model, images, 0, *n, labels);
    g_autoptr(AeTensor) outputs = codec_decode(model, codes, labels);
    tool_require(ae_shape_elements(&outputs->shape) == *n * size,
                 "the model's output is not as large as its input");
    errors = tool_alloc(*n, sizeof *errors);
    for (int64_t i = 0; i < *n * size; i++) {
        double difference = outputs->data[i] - images->data[i] / 255.0;
        errors[i / size] += difference * difference / (double)size;
    }
    return errors;
}

/* The mean and the largest of @n errors, and the rank of @foreign (or NULL)
 * among them: 1 if it is the largest. */
static void print_errors(const double *errors, int64_t n, const double *foreign)
{
    double sum = 0, largest = 0;
    int64_t rank = 1;

    for (int64_t i = 0; i < n; i++) {
        sum += errors[i];
        largest = MAX(largest, errors[i]);
        rank += foreign != NULL && errors[i] >= *foreign;
    }
    printf("mean squared error %.6f (%" G_GINT64_FORMAT
           " images, largest %.6f)\n",
           sum / (double)n, n, largest);
    if (foreign != NULL)
        printf("the foreign image: %.6f, rank %" G_GINT64_FORMAT
               " of %" G_GINT64_FORMAT "\n",
               *foreign, rank, n + 1);
}

void run_error(Arguments *args)
{
    g_autofree char *path = NULL;
    const GOptionEntry entries[] = {codec_labels_option(&path), {0}};
    ae_autofree double *foreign = NULL;
    int64_t n, others;

    tool_parse(args, entries, 2, 3);
    g_autoptr(AeModel) model = codec_load(args->argv[1]);
    ae_autofree double *errors = measure_errors(model, args->argv[2], path, &n);
    if (args->argc > 3)
        foreign = measure_errors(model, args->argv[3], NULL, &others);
    print_errors(errors, n, foreign);
}
