/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* safetensors files: named float32 tensors in row-major order and a map of
 * strings. Format: 8 bytes little-endian header length, JSON header, data;
 * offsets must tile the data without holes; header at most 100 MB. */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

typedef struct {
    GPtrArray *names;     /* of char *, in file order */
    GPtrArray *tensors;   /* of AeTensor *, same order */
    GHashTable *metadata; /* string -> string */
} AeSafetensors;

AeSafetensors *ae_safetensors_new(void);
void ae_safetensors_free(AeSafetensors *file);
/* Takes ownership of @tensor. */
void ae_safetensors_add(AeSafetensors *file, const char *name,
                        AeTensor *tensor);
/* NULL if there is none. Borrowed. */
const AeTensor *ae_safetensors_find(const AeSafetensors *file,
                                    const char *name);

/* Errors: AE_ERROR_FILE, AE_ERROR_FORMAT, AE_ERROR_UNSUPPORTED (data types
 * other than F32). */
AeSafetensors *ae_safetensors_load(const char *path, GError **error);
AeSafetensors *ae_safetensors_parse(const void *data, size_t size,
                                    const char *name, GError **error);
/* Atomic, as ae_onnx_save(). */
gboolean ae_safetensors_save(const AeSafetensors *file, const char *path,
                             GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeSafetensors, ae_safetensors_free)

G_END_DECLS
