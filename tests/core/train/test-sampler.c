/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Samples of pictures whose every sample says where it lies. */
#include <string.h>

#include "ae.h"
#include "base/random.h"

enum { W = 9, H = 7 };

/* Sample (x, y) of plane @c is 100 c + 10 y + x. */
static AePicture make_picture(AeColour colour, int bits, int planes,
                              gboolean yuv420)
{
    int bytes = bits > 8 ? 2 : 1;
    static uint8_t memory[4][W * H * 2];
    AePicture picture = {.format = {.name = "test",
                                    .colour = colour,
                                    .width = W,
                                    .height = H,
                                    .bits = bits,
                                    .n_planes = planes,
                                    .n_colours = planes}};

    for (int c = 0; c < planes; c++) {
        int half = yuv420 && c > 0, w = (W + half) >> half;

        picture.format.log2_x[c] = picture.format.log2_y[c] = half;
        picture.plane[c] =
            ae_plane(memory[c], W * 2, bytes, w, (H + half) >> half, bits);
        for (int y = 0; y < picture.plane[c].height; y++)
            for (int x = 0; x < w; x++) {
                uint16_t v = (uint16_t)(bits > 8 ? 300 : 0);
                uint16_t word =
                    GUINT16_TO_LE((uint16_t)(v + 80 * c + 10 * y + x));

                memcpy(memory[c] + y * W * 2 + x * bytes, &word, (size_t)bytes);
            }
    }
    return picture;
}

typedef struct {
    AeSampleSize size;
    size_t words; /* of a sample */
    int n, labels[64], bits[64];
    uint16_t data[64][3 * W * H * 3];
} Samples;

static void take(void *user, const AeSample *sample)
{
    Samples *samples = user;
    int i = samples->n++;

    g_assert_cmpint(i, <, 64);
    samples->labels[i] = sample->label;
    samples->bits[i] = sample->bits;
    memcpy(samples->data[i], sample->data, samples->words * sizeof(uint16_t));
}

static AeSampler *start(const AeSamplerOptions *options,
                        const AePictureFormat *format, Samples *samples)
{
    AeSampler *sampler = ae_sampler_new(options);
    g_autoptr(GError) error = NULL;

    memset(samples, 0, sizeof *samples);
    ae_sampler_size(sampler, format, &samples->size, &error);
    g_assert_no_error(error);
    samples->words = (size_t)samples->size.width * samples->size.height *
                     samples->size.channels * (options->still ? 3 : 1);
    ae_sampler_set_format(sampler, format, &error);
    g_assert_no_error(error);
    return sampler;
}

/* A whole picture, of any number of bits, comes out as it is. */
static void test_whole(void)
{
    static const struct {
        AeColour colour;
        int bits, planes, channels;
    } cases[] = {{AE_COLOUR_GRAY, 8, 1, 1},  {AE_COLOUR_YUV, 8, 3, 1},
                 {AE_COLOUR_RGB, 8, 3, 3},   {AE_COLOUR_RGB, 8, 4, 3},
                 {AE_COLOUR_GRAY, 16, 1, 1}, {AE_COLOUR_YUV, 10, 3, 1}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        AePicture picture = make_picture(cases[i].colour, cases[i].bits,
                                         cases[i].planes, FALSE);
        int base = cases[i].bits > 8 ? 300 : 0, n = cases[i].channels;
        Samples samples;
        g_autoptr(AeSampler) sampler =
            start(&(AeSamplerOptions){0}, &picture.format, &samples);

        ae_sampler_push(sampler, &picture, 4, take, &samples);
        g_assert_cmpint(samples.n, ==, 1);
        g_assert_cmpint(samples.labels[0], ==, 4);
        g_assert_cmpint(samples.bits[0], ==, cases[i].bits);
        g_assert_cmpint(samples.size.channels, ==, n);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                for (int c = 0; c < n; c++)
                    g_assert_cmpint(samples.data[0][(y * W + x) * n + c], ==,
                                    base + 80 * c + 10 * y + x);
    }
}

/* A patch is a square of the picture; turned, its steps change sign or place.
 * All 8 turns come. */
static void test_patches(void)
{
    AePicture picture = make_picture(AE_COLOUR_RGB, 8, 3, FALSE);
    AeSamplerOptions options = {
        .patch_size = 4, .patches_per_frame = 60, .augment = TRUE, .seed = 3};
    Samples samples;
    g_autoptr(AeSampler) sampler = start(&options, &picture.format, &samples);
    int steps[60];
    guint kinds = 0;

    ae_sampler_push(sampler, &picture, -1, take, &samples);
    g_assert_cmpint(samples.n, ==, 60);
    for (int i = 0; i < 60; i++) {
        const uint16_t *data = samples.data[i];
        int right = data[3] - data[0], down = data[12] - data[0];

        g_assert_true((ABS(right) == 1 && ABS(down) == 10) ||
                      (ABS(right) == 10 && ABS(down) == 1));
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 4; x++)
                for (int c = 0; c < 3; c++)
                    g_assert_cmpint(data[(4 * y + x) * 3 + c], ==,
                                    data[0] + right * x + down * y + 80 * c);
        steps[i] = (right > 0) + 2 * (down > 0) + 4 * (ABS(right) == 10);
        kinds |= 1u << steps[i];
    }
    g_assert_cmpuint(kinds, ==, 255);
}

/* Of 4:2:0 the three planes come, cut at the same place. */
static void test_yuv420(void)
{
    AePicture picture = make_picture(AE_COLOUR_YUV, 10, 3, TRUE);
    AeSamplerOptions options = {.colour = AE_TRAIN_COLOUR_YUV420,
                                .patch_size = 4,
                                .patches_per_frame = 20};
    Samples samples;
    g_autoptr(AeSampler) sampler = start(&options, &picture.format, &samples);

    g_assert_cmpint(samples.size.channels, ==, AE_YUV420_CHANNELS);
    g_assert_cmpint(samples.size.width, ==, 2);
    ae_sampler_push(sampler, &picture, -1, take, &samples);
    for (int i = 0; i < 20; i++) {
        const uint16_t *data = samples.data[i];
        int x = (data[0] - 300) % 10, y = (data[0] - 300) / 10;

        g_assert_cmpint(x % 2 + y % 2, ==, 0);
        g_assert_cmpint(data[15], ==, data[0] + 33);
        for (int c = 1; c < 3; c++)
            g_assert_cmpint(data[12 + 4 * c], ==,
                            300 + 80 * c + 10 * (y / 2) + x / 2);
    }
}

/* The shuffle buffer changes the order, keeps each label at its sample, and
 * loses nothing. */
static void test_shuffle(void)
{
    AePicture picture = make_picture(AE_COLOUR_GRAY, 8, 1, FALSE);
    AeSamplerOptions options = {.shuffle_buffer = 5, .seed = 1};
    Samples samples;
    g_autoptr(AeSampler) sampler = start(&options, &picture.format, &samples);
    gboolean seen[20] = {FALSE};
    int moved = 0;

    for (int i = 0; i < 20; i++) {
        picture.plane[0].data[0] = (uint8_t)(100 + i);
        ae_sampler_push(sampler, &picture, i, take, &samples);
        g_assert_cmpint(samples.n, ==, MAX(i - 4, 0));
    }
    ae_sampler_drain(sampler, take, &samples);
    g_assert_cmpint(samples.n, ==, 20);
    for (int i = 0; i < 20; i++) {
        g_assert_cmpint(samples.data[i][0], ==, 100 + samples.labels[i]);
        g_assert_false(seen[samples.labels[i]]);
        seen[samples.labels[i]] = TRUE;
        moved += samples.labels[i] != i;
    }
    g_assert_cmpint(moved, >, 10);
}

/* With still, only places where noise alone changes come, three pictures
 * each. */
static void test_still(void)
{
    enum { SIDE = 64 };
    static uint8_t data[SIDE * SIDE];
    AePicture picture = ae_picture_of_bytes(data, SIDE, SIDE, 1);
    AeSamplerOptions options = {.still = TRUE};
    g_autoptr(AeSampler) sampler = ae_sampler_new(&options);
    static Samples samples;
    AeRandom random = ae_random(1, 0);

    g_assert_true(ae_sampler_set_format(sampler, &picture.format, NULL));
    for (int t = 0; t < 12; t++) { /* from the 7th on, the scene moves */
        for (int i = 0; i < SIDE * SIDE; i++)
            data[i] = (uint8_t)(i % SIDE + 12 * MAX(t - 5, 0) +
                                ae_random_below(&random, 9));
        ae_sampler_push(sampler, &picture, -1, take, &samples);
        if (t == 5)
            g_assert_cmpint(samples.n, ==, 4);
    }
    g_assert_cmpint(samples.n, ==, 4);
    g_assert_cmpuint(ae_sampler_moving(sampler), ==, 6);
}

static void test_refused(void)
{
    static const struct {
        AeSamplerOptions options;
        gboolean yuv420;
        const char *sentence;
    } cases[] = {
        {{.patch_size = 8, .patches_per_frame = 1},
         FALSE,
         "frames of 9x7 are smaller than a patch of 8x8"},
        {{.colour = AE_TRAIN_COLOUR_YUV420}, FALSE, "but this is test"},
        {{.colour = AE_TRAIN_COLOUR_YUV420}, TRUE, "would have 9x7"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        AePicture picture = make_picture(AE_COLOUR_YUV, 8, 3, cases[i].yuv420);
        g_autoptr(AeSampler) sampler = ae_sampler_new(&cases[i].options);
        g_autoptr(GError) error = NULL;

        g_assert_false(ae_sampler_set_format(sampler, &picture.format, &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_SHAPE);
        if (strstr(error->message, cases[i].sentence) == NULL)
            g_error("%s: %s", cases[i].sentence, error->message);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sampler/whole", test_whole);
    g_test_add_func("/sampler/patches", test_patches);
    g_test_add_func("/sampler/yuv420", test_yuv420);
    g_test_add_func("/sampler/shuffle", test_shuffle);
    g_test_add_func("/sampler/still", test_still);
    g_test_add_func("/sampler/refused", test_refused);
    return g_test_run();
}
