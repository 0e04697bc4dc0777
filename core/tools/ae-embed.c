/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae embed`, `pca`, `knn` and `error`: codes of images, and measures of how
 * much of the images they keep. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/ae-codec.h"
#include "tools/ae-tool.h"

/* Saves a row an image, in row-major order. */
static gboolean save_codes(const AeTensor *codes, const char *path,
                           GError **error)
{
    int64_t n = codes->shape.dim[0];
    AeShape shape = ae_shape(2, n, ae_shape_elements(&codes->shape) / n);
    g_autoptr(AeTensor) rows = ae_tensor_new(&shape, error);

    if (rows == NULL)
        return FALSE;
    ae_tensor_to_row_major(codes, rows->data);
    return ae_npy_save(rows, path, error);
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

/* Encodes all @images. Leaves in @labels the labels of the file @path, which a
 * conditional model needs. */
static AeTensor *encode_all(const Codec *codec, const AeIdx *images,
                            const char *path, AeIdx **labels, GError **error)
{
    *labels = codec_load_labels(path, images->dim[0], error);
    if (path != NULL && *labels == NULL)
        return NULL;
    return codec_encode(codec, images, 0, images->dim[0],
                        *labels != NULL ? (*labels)->data : NULL, error);
}

static gboolean run_embed(Arguments *args, GError **error)
{
    g_autofree char *label_path = NULL;
    const GOptionEntry entries[] = {
        {"labels", 0, 0, G_OPTION_ARG_FILENAME, &label_path,
         "Labels of the images, for a conditional model", "LABELS.idx"},
        {0}};
    g_autoptr(Codec) codec = NULL;
    g_autoptr(AeIdx) images = NULL, labels = NULL;
    g_autoptr(AeTensor) codes = NULL;

    if (!tool_parse(args, entries, 2, 2, error))
        return FALSE;
    codec = codec_load(args->argv[1], error);
    if (codec != NULL)
        images = ae_idx_load(args->argv[2], error);
    if (images != NULL)
        codes = encode_all(codec, images, label_path, &labels, error);
    if (codes == NULL || !save_codes(codes, args->output, error))
        return FALSE;
    print_moments(codes);
    return TRUE;
}

static gboolean run_pca(Arguments *args, GError **error)
{
    int components = 2;
    const GOptionEntry entries[] = {{"components", 'k', 0, G_OPTION_ARG_INT,
                                     &components,
                                     "Number of components (default: 2)", "K"},
                                    {0}};
    g_autoptr(AeIdx) images = NULL;
    g_autoptr(AeModel) model = NULL;
    double share;

    if (!tool_parse(args, entries, 1, 1, error))
        return FALSE;
    images = ae_idx_load(args->argv[1], error);
    if (images != NULL)
        model = ae_pca_new(images, components, &share, error);
    if (model == NULL || !ae_onnx_save(model, args->output, error))
        return FALSE;
    printf("%d components hold %.2f %% of the variance\n", components,
           100 * share);
    return TRUE;
}

/* A matrix with a row for each code (.npy) or image (idx). */
static AeTensor *load_rows(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = ae_file_read(path, error);
    g_autoptr(AeIdx) images = NULL;
    AeTensor *rows = NULL;
    AeShape shape;
    const char *data;
    size_t size;

    if (bytes == NULL)
        return NULL;
    data = g_bytes_get_data(bytes, &size);
    if (size > 0 && *data == '\x93') {
        rows = ae_npy_parse(data, size, path, error);
    } else if ((images = ae_idx_parse(data, size, path, error)) != NULL) {
        shape = ae_shape(2, images->dim[0], (int64_t)ae_idx_item_size(images));
        rows = ae_tensor_new(&shape, error);
        for (int64_t i = 0; rows && i < ae_shape_elements(&shape); i++)
            rows->data[i] = images->data[i] / 255.0f;
    }
    if (rows == NULL || (rows->shape.rank == 2 && rows->shape.dim[0] > 0))
        return rows;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "%s: a matrix with a row an image was expected", path);
    ae_tensor_free(rows);
    return NULL;
}

enum { ROWS = 2048 /* classified between two lines of progress */ };

typedef struct {
    AeTensor *rows;
    AeIdx *labels;
} Labelled;

static gboolean load_labelled(Labelled *set, char **paths, GError **error)
{
    set->rows = load_rows(paths[0], error);
    if (set->rows != NULL)
        set->labels =
            codec_load_labels(paths[1], set->rows->shape.dim[0], error);
    return set->labels != NULL;
}

static void clear_labelled(Labelled *set)
{
    ae_tensor_free(set->rows);
    ae_idx_free(set->labels);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Labelled, clear_labelled)

static void print_accuracy(const Labelled *known, const Labelled *test, int k)
{
    int64_t n = test->rows->shape.dim[0], right = 0;
    g_autofree uint8_t *answers = g_new(uint8_t, n);
    g_autoptr(AePool) pool = ae_pool_new(0);

    for (int64_t i = 0; i < n; i += ROWS) {
        const int64_t d = test->rows->shape.dim[1];
        const AeTensor part = {.shape = ae_shape(2, MIN(ROWS, n - i), d),
                               .data = test->rows->data + i * d};

        tool_progress(i, n);
        ae_neighbours_classify(known->rows, known->labels->data, &part, k,
                               answers + i, pool);
    }
    tool_progress(n, n);
    for (int64_t i = 0; i < n; i++)
        right += answers[i] == test->labels->data[i];
    printf("accuracy %.4f (%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
           ", nearest: %d)\n",
           (double)right / (double)n, right, n, k);
}

static gboolean run_knn(Arguments *args, GError **error)
{
    int k = 7;
    const GOptionEntry entries[] = {{"neighbours", 'k', 0, G_OPTION_ARG_INT, &k,
                                     "Number of neighbours (default: 7)", "K"},
                                    {0}};
    g_auto(Labelled) known = {0}, test = {0};

    if (!tool_parse(args, entries, 4, 4, error) ||
        !load_labelled(&known, args->argv + 1, error) ||
        !load_labelled(&test, args->argv + 3, error))
        return FALSE;
    if (known.rows->shape.dim[1] != test.rows->shape.dim[1]) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "%s has rows of %" G_GINT64_FORMAT
                    " numbers, %s of %" G_GINT64_FORMAT,
                    args->argv[1], known.rows->shape.dim[1], args->argv[3],
                    test.rows->shape.dim[1]);
        return FALSE;
    }
    if (k < 1 || k > MIN(AE_MAX_NEIGHBOURS, known.rows->shape.dim[0]))
        return tool_refuse(error,
                           "-k is 1 to 100, and at most the number of rows");
    print_accuracy(&known, &test, k);
    return TRUE;
}

/* The mean squared error of each image of the file @path after encoding and
 * decoding; @n is their number. Free. */
static double *measure_errors(const Codec *codec, const char *path,
                              const char *label_path, int64_t *n,
                              GError **error)
{
    g_autoptr(AeIdx) images = ae_idx_load(path, error), labels = NULL;
    g_autoptr(AeTensor) codes = NULL, outputs = NULL;
    int64_t size;
    double *errors;

    if (images != NULL)
        codes = encode_all(codec, images, label_path, &labels, error);
    if (codes != NULL)
        outputs = codec_decode(codec, codes,
                               labels != NULL ? labels->data : NULL, error);
    if (outputs == NULL)
        return NULL;
    *n = images->dim[0];
    size = (int64_t)ae_idx_item_size(images);
    if (ae_shape_elements(&outputs->shape) != *n * size) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model's output is not as large as its input");
        return NULL;
    }
    errors = g_new0(double, *n);
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

static gboolean run_error(Arguments *args, GError **error)
{
    g_autofree char *label_path = NULL;
    const GOptionEntry entries[] = {
        {"labels", 0, 0, G_OPTION_ARG_FILENAME, &label_path,
         "Labels of the images, for a conditional model", "LABELS.idx"},
        {0}};
    g_autoptr(Codec) codec = NULL;
    g_autofree double *errors = NULL, *foreign = NULL;
    int64_t n, others;

    if (!tool_parse(args, entries, 2, 3, error))
        return FALSE;
    codec = codec_load(args->argv[1], error);
    if (codec != NULL)
        errors = measure_errors(codec, args->argv[2], label_path, &n, error);
    if (errors != NULL && args->argc > 3)
        foreign = measure_errors(codec, args->argv[3], NULL, &others, error);
    if (errors == NULL || (args->argc > 3 && foreign == NULL))
        return FALSE;
    print_errors(errors, n, foreign);
    return TRUE;
}

const Command embed_commands[] = {
    {"embed", "embed MODEL IMAGES.idx -o CODES.npy",
     "writes the codes of images, a row an image", run_embed},
    {"pca", "pca IMAGES.idx -k K -o MODEL.onnx",
     "writes principal components as a linear autoencoder", run_pca},
    {"knn", "knn CODES LABELS.idx TEST-CODES TEST-LABELS.idx",
     "accuracy of a vote of the nearest rows; CODES is npy or idx", run_knn},
    {"error", "error MODEL IMAGES.idx [FOREIGN.idx]",
     "mean squared error of reconstructions; rank of a foreign image",
     run_error},
    {0},
};
