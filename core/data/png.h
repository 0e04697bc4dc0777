/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images of 8 bits a sample in memory, and PNG files. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
    int width, height, channels; /* channels 1 (gray) or 3 (RGB) */
    uint8_t *pixels;             /* width * channels bytes a row */
} AeImage;

/* A black image. Errors: AE_ERROR_MEMORY. */
AeImage *ae_image_new(int width, int height, int channels, GError **error);
void ae_image_free(AeImage *image);

/* Reads any PNG file as gray or RGB: drops alpha, rounds 16 bits, expands a
 * palette. @name is for messages. AE_ERROR_FILE, AE_ERROR_FORMAT,
 * AE_ERROR_MEMORY. */
AeImage *ae_image_parse_png(const void *data, size_t size, const char *name,
                            GError **error);
AeImage *ae_image_load_png(const char *path, GError **error);
/* Writes a PNG file atomically, as ae_file_write() does. */
gboolean ae_image_save_png(const AeImage *image, const char *path,
                           GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeImage, ae_image_free)

G_END_DECLS
