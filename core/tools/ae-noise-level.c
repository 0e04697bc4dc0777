/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae noise-level`: the noise in pictures, as the elements measure it. */
#include <math.h>
#include <stdio.h>

#include "tools/ae-tool.h"
#include "video/noise-level.h"

/* Root of the mean variance of the channels. */
static float measure(AeImage *image)
{
    const AePicture picture = tool_picture_of(*image);
    g_autoptr(AeNoiseLevel) level =
        tool_need(ae_noise_level_new(image->width, &tool_error));
    float sum = 0;

    for (int c = 0; c < image->channels; c++) {
        float sigma = ae_noise_level_measure(level, &picture.plane[c]);

        sum += sigma * sigma;
    }
    return sqrtf(sum / (float)image->channels);
}

/* Adds noise to all samples. Returns the root of its mean square. */
static double add_noise(AeImage *image, const AeNoise *noise, uint64_t seed,
                        uint64_t number)
{
    const AeNoisePlane plane = {image->width, image->height, image->channels};
    gsize n = (gsize)(plane.width * plane.height * plane.channels);
    ae_autofree float *samples =
        tool_need(ae_alloc(n, sizeof *samples, &tool_error));
    double sum = 0;

    for (gsize i = 0; i < n; i++)
        samples[i] = image->pixels[i] / 255.0f;
    tool_check(ae_noise_apply(noise, samples, samples, &plane, 1, seed, number,
                              &tool_error));
    for (gsize i = 0; i < n; i++) {
        double noisy = CLAMP(samples[i] * 255.0, 0, 255);

        sum += (noisy - image->pixels[i]) * (noisy - image->pixels[i]);
        image->pixels[i] = (uint8_t)(noisy + 0.5);
    }
    return sqrt(sum / (double)n);
}

void run_noise_level(Arguments *args)
{
    g_autofree char *text = NULL;
    gint64 seed = 1;
    const GOptionEntry entries[] = {
        {"noise", 0, 0, G_OPTION_ARG_STRING, &text,
         "Noise to add before, as in aenoise; its standard deviation is "
         "printed behind what is measured",
         "NOISE"},
        tool_seed_option(&seed, "Seed of the noise (default: 1)"),
        {0}};

    tool_parse(args, entries, 1, G_MAXINT);
    g_autoptr(AeNoise) noise =
        tool_need(ae_noise_parse(text != NULL ? text : "none", &tool_error));
    for (int i = 1; i < args->argc; i++) {
        g_autoptr(AeImage) image = tool_load_png(args->argv[i]);
        double added =
            ae_noise_is_none(noise)
                ? 0
                : add_noise(image, noise, (uint64_t)seed, (uint64_t)i);

        printf("%s: %.2f", args->argv[i], (double)measure(image));
        if (text != NULL)
            printf(" of %.2f", added);
        putchar('\n');
    }
}
