/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae resize`: pictures of another size, as published tests of super-resolution
 * make them. */
#include "tools/ae-tool.h"

#define MAX_SIDE 16384

static AeImage *resize(const AeImage *image, int width, int height)
{
    gsize n_in = (gsize)image->width * image->height * image->channels;
    gsize n_out = (gsize)width * height * image->channels;
    ae_autofree float *source =
        tool_need(ae_alloc(n_in + n_out, sizeof *source, &tool_error));
    float *target = source + n_in;
    AeImage *result =
        tool_need(ae_image_new(width, height, image->channels, &tool_error));
    g_autoptr(AeResampler) resampler = tool_need(
        ae_resampler_new(image->width, image->height, width, height,
                         image->channels, AE_RESAMPLE_BICUBIC, &tool_error));

    for (gsize i = 0; i < n_in; i++)
        source[i] = image->pixels[i];
    ae_resampler_run(resampler, source, target);
    for (gsize i = 0; i < n_out; i++)
        result->pixels[i] = (uint8_t)(CLAMP(target[i], 0, 255) + 0.5f);
    return result;
}

void run_resize(Arguments *args)
{
    Size size;

    tool_parse(args, NULL, 3, 3);
    tool_parse_size(args->argv[1], &size);
    tool_usage(size.width <= MAX_SIDE && size.height <= MAX_SIDE,
               "a picture has at most %d pixels a side", MAX_SIDE);
    g_autoptr(AeImage) image = tool_load_png(args->argv[2]);
    g_autoptr(AeImage) resized = resize(image, size.width, size.height);
    tool_check(ae_image_save_png(resized, args->argv[3], &tool_error));
}
