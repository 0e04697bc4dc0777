/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory for the messages of a file while it is read. Private to onnx*.c. */
#pragma once

#include <glib.h>
#include <protobuf-c/protobuf-c.h>

G_BEGIN_DECLS

typedef struct {
    ProtobufCAllocator allocator;
    size_t most, left; /* bytes that may be allocated in all, and still */
    GPtrArray *blocks; /* of ae_alloc(); small messages share one */
    char *next;        /* where the last of these is free */
    size_t room;       /* bytes from there on */
    GError *error;     /* why an allocation failed, or NULL */
} AeOnnxMemory;

/* @size: of the file. */
void ae_onnx_memory_init(AeOnnxMemory *memory, size_t size);

/* Frees all messages at once. */
void ae_onnx_memory_clear(AeOnnxMemory *memory);

G_END_DECLS
