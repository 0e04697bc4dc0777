/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idx files, the format of MNIST. A file holds two zero bytes, the type, the
 * rank, the dimensions as 32-bit big-endian numbers, and the elements in
 * row-major order. Of type 8, unsigned bytes, labels have rank 1, gray images
 * rank 3 (images, rows, columns), and images of rank 4 the channels as the last
 * dimension: 3 for RGB, 1 for gray. Labels may also be of type 12, int32, of
 * rank 1, or of rank 2 with the class as the first number of each row, as
 * QMNIST has them; they become bytes. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "data/png.h"

G_BEGIN_DECLS

typedef struct {
    int rank; /* 1, 3 or 4 */
    int64_t dim[4];
    const uint8_t *data; /* the elements, inside bytes */
    GBytes *bytes;
} AeIdx;

/* Reads a file, which may be compressed with gzip. AE_ERROR_FILE,
 * AE_ERROR_FORMAT, AE_ERROR_UNSUPPORTED (other types and ranks),
 * AE_ERROR_MEMORY; messages name @path. */
AeIdx *ae_idx_load(const char *path, GError **error);

/* Reads the content of a file from memory and copies it. @name stands for the
 * path in messages. */
AeIdx *ae_idx_parse(const void *data, size_t size, const char *name,
                    GError **error);

/* Writes rank, dim and data of @idx to a file, without compression, atomically
 * as ae_file_write() does. */
gboolean ae_idx_save(const AeIdx *idx, const char *path, GError **error);

void ae_idx_free(AeIdx *idx);

/* Bytes of one item: 1, rows * columns or rows * columns * 3. */
size_t ae_idx_item_size(const AeIdx *idx);

/* Image @i of a file of images, whose pixels are borrowed and only read. */
AeImage ae_idx_image(const AeIdx *images, int64_t i);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeIdx, ae_idx_free)

G_END_DECLS
