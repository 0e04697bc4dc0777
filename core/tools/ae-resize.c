/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae resize`: pictures of another size, as published tests of super-resolution
 * make them. */
#include "tools/ae-tool.h"

#define MAX_SIDE 16384

static AeImage *resize(const AeImage *image, int width, int height,
                       GError **error)
{
    gsize n_in = (gsize)image->width * image->height * image->channels;
    gsize n_out = (gsize)width * height * image->channels;
    ae_autofree float *floats = ae_alloc(n_in + n_out, sizeof *floats, error);
    AeImage *result = floats != NULL
                          ? ae_image_new(width, height, image->channels, error)
                          : NULL;
    float *source = floats, *target = floats + n_in;
    g_autoptr(AeResampler) resampler =
        ae_resampler_new(image->width, image->height, width, height,
                         image->channels, AE_RESAMPLE_BICUBIC);

    if (result == NULL)
        return NULL;
    for (gsize i = 0; i < n_in; i++)
        source[i] = image->pixels[i];
    ae_resampler_run(resampler, source, target);
    for (gsize i = 0; i < n_out; i++)
        result->pixels[i] = (uint8_t)(CLAMP(target[i], 0, 255) + 0.5f);
    return result;
}

/* resize WIDTHxHEIGHT IN.png OUT.png */
static gboolean run_resize(Arguments *args, GError **error)
{
    g_autoptr(AeImage) image = NULL, resized = NULL;
    Size size;

    if (!tool_parse(args, NULL, 3, 3, error) ||
        !tool_parse_size(args->argv[1], &size, error))
        return FALSE;
    if (size.width > MAX_SIDE || size.height > MAX_SIDE)
        return tool_refuse(error, "a picture has at most %d pixels a side",
                           MAX_SIDE);
    image = ae_image_load_png(args->argv[2], error);
    if (image == NULL)
        return FALSE;
    resized = resize(image, size.width, size.height, error);
    return resized != NULL && ae_image_save_png(resized, args->argv[3], error);
}

const Command resize_commands[] = {
    {"resize", "resize WIDTHxHEIGHT IN.png OUT.png",
     "resizes a picture, bicubic as MATLAB's imresize", run_resize},
    {0},
};
