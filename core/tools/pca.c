/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The covariance is summed up in blocks of images: in floats within a block,
 * in doubles over the blocks. */
#include "tools/pca.h"

#include <math.h>

#include "networks/architectures.h"
#include "base/error.h"
#include "base/gemm.h"
#include "model/metadata.h"

enum { BLOCK = 512, MAX_SAMPLES = 8192 };

typedef struct {
    const AeIdx *images;
    int n;              /* samples of an image */
    double *mean;       /* n */
    double *components; /* n x n: first the covariance times the number of
                           images, then the components, the last first */
    double *variances;  /* n, ascending */
} Fit;

static void set_mean(Fit *fit)
{
    const uint8_t *next = fit->images->data;

    for (int64_t i = 0; i < fit->images->dim[0]; i++)
        for (int j = 0; j < fit->n; j++)
            fit->mean[j] += *next++;
    for (int j = 0; j < fit->n; j++)
        fit->mean[j] /= 255.0 * (double)fit->images->dim[0];
}

/* @count images from @first on, less the mean. */
static void fill_block(const Fit *fit, int64_t first, int64_t count,
                       float *block)
{
    const uint8_t *next = fit->images->data + first * fit->n;

    for (int64_t i = 0; i < count; i++)
        for (int j = 0; j < fit->n; j++)
            *block++ = (float)(*next++ / 255.0 - fit->mean[j]);
}

static gboolean set_covariance(Fit *fit, GError **error)
{
    int n = fit->n;
    ae_autofree float *block = ae_alloc_floats((size_t)n * BLOCK);
    ae_autofree float *product = ae_alloc_floats((size_t)n * (size_t)n);

    if (block == NULL || product == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "not enough memory for a covariance of %d samples", n);
        return FALSE;
    }
    for (int64_t i = 0; i < fit->images->dim[0]; i += BLOCK) {
        int count = (int)MIN(BLOCK, fit->images->dim[0] - i);

        fill_block(fit, i, count, block);
        ae_gemm(TRUE, FALSE, n, n, count, 1, block, n, block, n, 0, product, n);
        for (int64_t j = 0; j < (int64_t)n * n; j++)
            fit->components[j] += product[j];
    }
    return TRUE;
}

/* An eigenvector has no sign of its own. */
static double sign_of(const double *component, int n)
{
    double largest = 0;

    for (int i = 0; i < n; i++)
        if (fabs(component[i]) > fabs(largest))
            largest = component[i];
    return largest < 0 ? -1 : 1;
}

static AeTensor *parameter(const AeModel *model, int node, int i)
{
    const AeNode *layer = g_ptr_array_index(model->nodes, node);

    return ae_model_value(model, g_array_index(layer->inputs, int, i))
        ->constant;
}

/* Where sample @i of an image in an idx file, channels innermost, is in a
 * model's row of samples, channels outermost. */
static int row_index(const AeIdx *images, int i)
{
    const AeImage image = ae_idx_image(images, 0);

    return i % image.channels * image.width * image.height + i / image.channels;
}

/* The two dense layers of the linear network: code = W image - W mean, image =
 * transposed W code + mean. */
static void set_layers(const Fit *fit, AeModel *model, int components)
{
    AeTensor *encode = parameter(model, 1, 1), *shift = parameter(model, 1, 2);
    AeTensor *decode = parameter(model, 2, 1), *mean = parameter(model, 2, 2);

    for (int i = 0; i < fit->n; i++)
        mean->data[row_index(fit->images, i)] = (float)fit->mean[i];
    for (int k = 0; k < components; k++) {
        const double *component =
            fit->components + (int64_t)(fit->n - 1 - k) * fit->n;
        double sign = sign_of(component, fit->n), offset = 0;

        for (int i = 0; i < fit->n; i++) {
            int64_t at = row_index(fit->images, i);
            double weight = sign * component[i];

            encode->data[(int64_t)k * fit->n + at] = (float)weight;
            decode->data[at * components + k] = (float)weight;
            offset += weight * fit->mean[i];
        }
        shift->data[k] = (float)-offset;
    }
}

static double variance_share(const Fit *fit, int components)
{
    double part = 0, whole = 0;

    for (int i = 0; i < fit->n; i++) {
        double variance = MAX(fit->variances[i], 0);

        whole += variance;
        part += i >= fit->n - components ? variance : 0;
    }
    return whole > 0 ? part / whole : 1;
}

static gboolean check(const AeIdx *images, int components, GError **error)
{
    size_t n = ae_idx_item_size(images);

    if (images->rank == 1)
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "images were expected, and labels found");
    else if (n > MAX_SAMPLES)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "images of up to %d samples have principal components "
                    "here; these have %" G_GSIZE_FORMAT,
                    MAX_SAMPLES, n);
    else if (components < 1 || (size_t)components > n)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "images of %" G_GSIZE_FORMAT
                    " samples have 1 to %" G_GSIZE_FORMAT
                    " principal components, not %d",
                    n, n, components);
    else
        return TRUE;
    return FALSE;
}

static AeModel *fit_model(Fit *fit, int components, GError **error)
{
    const AeIdx *images = fit->images;
    const AeArchitectureOptions options = {
        .channels = ae_idx_image(images, 0).channels,
        .width = (int)images->dim[2],
        .height = (int)images->dim[1],
        .latent_size = components,
    };
    AeModel *model;

    set_mean(fit);
    if (!set_covariance(fit, error) ||
        !ae_eigenvectors(fit->components, fit->n, fit->variances, error))
        return NULL;
    model = ae_architecture_new("linear", &options, error);
    if (model == NULL)
        return NULL;
    set_layers(fit, model, components);
    ae_metadata_write(model, &(AeMetadata){.task = AE_TASK_AUTOENCODE,
                                           .range = {0, 1},
                                           .colour = options.channels == 1
                                                         ? AE_MODEL_GRAY
                                                         : AE_MODEL_RGB});
    return model;
}

AeModel *ae_pca_new(const AeIdx *images, int components, double *share,
                    GError **error)
{
    if (!check(images, components, error))
        return NULL;

    size_t n = ae_idx_item_size(images);
    ae_autofree double *numbers = ae_alloc(n * (n + 2), sizeof *numbers, error);

    if (numbers == NULL)
        return NULL;

    double *mean = numbers + n * n;
    Fit fit = {images, (int)n, mean, numbers, mean + n};
    AeModel *model = fit_model(&fit, components, error);

    if (model != NULL && share != NULL)
        *share = variance_share(&fit, components);
    return model;
}
