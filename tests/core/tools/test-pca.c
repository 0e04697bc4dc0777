/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Principal components against their definition, on images whose samples
 * depend on each other. */
#include "ae.h"
#include "tools/pca.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

enum { N = 700, H = 3, W = 4 }; /* more images than a block has */

/* @channels 1 or 3; samples are mixtures of three hidden numbers and a little
 * noise. */
static AeIdx *make_images(int channels)
{
    const int d = H * W * channels;
    GByteArray *file = g_byte_array_new();
    uint8_t header[20] = {0, 0, 8,      channels == 1 ? 3 : 4,
                          0, 0, N >> 8, N & 255,
                          0, 0, 0,      H,
                          0, 0, 0,      W,
                          0, 0, 0,      3};
    AeRandom random = ae_random(5, 0);
    float mix[H * W * 3][3];
    AeIdx *idx;

    for (int j = 0; j < d; j++)
        for (int k = 0; k < 3; k++)
            mix[j][k] = ae_random_uniform(&random);
    g_byte_array_append(file, header, channels == 1 ? 16 : 20);
    for (int i = 0; i < N; i++) {
        float hidden[3];

        for (int k = 0; k < 3; k++)
            hidden[k] = ae_random_uniform(&random);
        for (int j = 0; j < d; j++) {
            float sum = 0.2f * ae_random_uniform(&random);
            for (int k = 0; k < 3; k++)
                sum += mix[j][k] * hidden[k];
            uint8_t byte = (uint8_t)(sum / 3.2f * 255);
            g_byte_array_append(file, &byte, 1);
        }
    }
    idx = ae_idx_parse(file->data, file->len, "images", NULL);
    g_byte_array_unref(file);
    return idx;
}

/* The layers' constants: W (k x d), -W mean, transposed W, mean. */
static const AeTensor *parameter(const AeModel *model, int node, int i)
{
    const AeNode *layer = g_ptr_array_index(model->nodes, node);

    return ae_model_value(model, g_array_index(layer->inputs, int, i))
        ->constant;
}

/* Image @i in the model's order of samples: channels outermost. */
static void read_image(const AeIdx *images, int i, int channels, double *image)
{
    const uint8_t *bytes = images->data + (size_t)i * ae_idx_item_size(images);

    for (int p = 0; p < H * W; p++)
        for (int c = 0; c < channels; c++)
            image[c * H * W + p] = *bytes++ / 255.0;
}

static void covariance(const AeIdx *images, int channels, const float *mean,
                       double *matrix)
{
    const int d = H * W * channels;
    double image[H * W * 3];

    memset(matrix, 0, (size_t)(d * d) * sizeof *matrix);
    for (int i = 0; i < N; i++) {
        read_image(images, i, channels, image);
        for (int a = 0; a < d; a++)
            for (int b = 0; b < d; b++)
                matrix[a * d + b] +=
                    (image[a] - mean[a]) * (image[b] - mean[b]) / N;
    }
}

/* Of components @a and @b: w_a C w_b. */
static double form(const float *w, const double *c, int d, int a, int b)
{
    double sum = 0;

    for (int i = 0; i < d; i++)
        for (int j = 0; j < d; j++)
            sum += w[a * d + i] * c[i * d + j] * w[b * d + j];
    return sum;
}

/* Rows are orthonormal, they make the covariance diagonal, and its diagonal
 * descends: to 1e-6, some roundings of floats. */
static void check_components(const float *w, const double *c, int d, int k)
{
    double last = INFINITY;

    for (int a = 0; a < k; a++) {
        double variance = form(w, c, d, a, a), largest = 0;

        for (int b = 0; b < k; b++) {
            double dot = 0;
            for (int i = 0; i < d; i++)
                dot += (double)w[a * d + i] * w[b * d + i];
            g_assert_cmpfloat_with_epsilon(dot, a == b, 1e-6);
            if (a != b)
                g_assert_cmpfloat_with_epsilon(form(w, c, d, a, b), 0, 1e-6);
        }
        g_assert_cmpfloat(variance, <=, last + 1e-9);
        last = variance;
        for (int i = 0; i < d; i++)
            if (fabsf(w[a * d + i]) > fabs(largest))
                largest = w[a * d + i];
        g_assert_cmpfloat(largest, >, 0);
    }
}

/* The mean squared error of all images through the model. */
static double rebuild(AeModel *model, const AeIdx *images, int channels)
{
    const AeShape shape = ae_shape(4, N, channels, H, W);
    AePlanOptions options = {.shapes = &shape, .n_inputs = 1};
    g_autoptr(AePlan) plan = ae_plan_new(model, &options, NULL);
    const int n = N * H * W * channels;
    double sum = 0;

    for (int i = 0; i < n; i++)
        ae_plan_input(plan, 0)[i] = images->data[i] / 255.0f;
    ae_plan_run(plan);
    for (int i = 0; i < n; i++) {
        double difference =
            ae_plan_output(plan, 0)[i] - images->data[i] / 255.0;
        sum += difference * difference / n;
    }
    return sum;
}

static void check_model(int channels, int k)
{
    const int d = H * W * channels;
    g_autoptr(AeIdx) images = make_images(channels);
    g_autoptr(GError) error = NULL;
    double share, matrix[H * W * 3 * H * W * 3], kept = 0, all = 0;
    g_autoptr(AeModel) model = ae_pca_new(images, k, &share, &error);

    g_assert_no_error(error);
    const float *w = parameter(model, 1, 1)->data;
    covariance(images, channels, parameter(model, 2, 2)->data, matrix);
    check_components(w, matrix, d, k);
    for (int i = 0; i < d; i++)
        all += matrix[i * d + i];
    for (int a = 0; a < k; a++)
        kept += form(w, matrix, d, a, a);
    g_assert_cmpfloat_with_epsilon(share, kept / all, 1e-5);
    g_assert_cmpfloat_with_epsilon(rebuild(model, images, channels),
                                   (all - kept) / d, 1e-7);
    g_assert_cmpstr(ae_model_get(model, "ae.latent"), !=, NULL);
}

static void test_definition(void)
{
    static const struct {
        int channels, k;
    } cases[] = {{1, 1}, {1, 3}, {1, 12}, {3, 2}, {3, 36}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check_model(cases[i].channels, cases[i].k);
}

static void test_refusals(void)
{
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 1, 7};
    static const uint8_t one[] = {0, 0, 8, 3, 0, 0, 0, 1, 0,
                                  0, 0, 1, 0, 0, 0, 2, 7, 9};
    g_autoptr(AeIdx) digits = ae_idx_parse(labels, sizeof labels, "l", NULL);
    g_autoptr(AeIdx) image = ae_idx_parse(one, sizeof one, "i", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(ae_pca_new(digits, 1, NULL, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_SHAPE);
    for (int k = 0; k <= 3; k += 3) {
        g_clear_error(&error);
        g_assert_null(ae_pca_new(image, k, NULL, &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
        g_assert_nonnull(strstr(error->message, "1 to 2"));
    }
    /* One image has no variance; it is its own mean. */
    g_autoptr(AeModel) model = ae_pca_new(image, 1, NULL, NULL);
    g_assert_cmpfloat(parameter(model, 2, 2)->data[1], ==, 9 / 255.0f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pca/definition", test_definition);
    g_test_add_func("/pca/refusals", test_refusals);
    return g_test_run();
}
