/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* safetensors files: named tensors in row-major order, and a map of strings.
 * Tensors are read from float32, float16 and bfloat16, and written as float32.
 * A file holds the length of the header in 8 bytes, little-endian; a
 * JSON header of at most 100 MB; and the data, which the tensors must fill
 * without gaps. */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

typedef struct {
    GPtrArray *names;     /* of char *, in the order of the file */
    GPtrArray *tensors;   /* of AeTensor *, in the same order */
    GHashTable *metadata; /* string -> string */
} AeSafetensors;

AeSafetensors *ae_safetensors_new(void);
void ae_safetensors_free(AeSafetensors *file);
/* Takes ownership of @tensor. */
void ae_safetensors_add(AeSafetensors *file, const char *name,
                        AeTensor *tensor);
/* The tensor @name, borrowed; NULL if there is none. */
const AeTensor *ae_safetensors_find(const AeSafetensors *file,
                                    const char *name);

/* Read a file, or its content from memory, where @name stands for the path in
 * messages. AE_ERROR_FILE, AE_ERROR_FORMAT, AE_ERROR_UNSUPPORTED (other
 * data types). */
AeSafetensors *ae_safetensors_load(const char *path, GError **error);
AeSafetensors *ae_safetensors_parse(const void *data, size_t size,
                                    const char *name, GError **error);
/* Writes a file atomically, as ae_file_write() does. */
gboolean ae_safetensors_save(const AeSafetensors *file, const char *path,
                             GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeSafetensors, ae_safetensors_free)

G_END_DECLS
