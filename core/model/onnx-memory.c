/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file has thousands of small messages: they lie one behind the other in
 * blocks of ae_alloc(), and are freed together. */
#include "model/onnx-memory.h"

#include "base/error.h"
#include "base/memory.h"

enum {
    /* Parsing may allocate so many times the file's size, and so much for
     * small files: a node takes ten times its size on the wire. */
    FACTOR = 16,
    FLOOR = 1 << 20,
    BLOCK = 1 << 16, /* bytes; a larger message has a block of its own */
    ALIGN = 16,      /* of a message, as malloc() aligns */
};

static void *new_block(AeOnnxMemory *memory, size_t size)
{
    void *block = ae_alloc(size, 1, &memory->error);

    if (block != NULL)
        g_ptr_array_add(memory->blocks, block);
    return block;
}

static void *place(AeOnnxMemory *memory, size_t size)
{
    const size_t taken = (size + ALIGN - 1) / ALIGN * ALIGN;
    char *message;

    if (taken > memory->room) {
        memory->next = new_block(memory, BLOCK);
        memory->room = memory->next != NULL ? BLOCK : 0;
    }
    message = memory->next;
    if (message != NULL) {
        memory->next += taken;
        memory->room -= taken;
    }
    return message;
}

static void *allocate(void *data, size_t size)
{
    AeOnnxMemory *memory = data;

    if (memory->error != NULL)
        return NULL;
    if (size > memory->left) {
        g_set_error(&memory->error, AE_ERROR, AE_ERROR_FORMAT,
                    "its content takes more than %zu bytes of memory, %d times "
                    "its size",
                    memory->most, FACTOR);
        return NULL;
    }
    memory->left -= size;
    return size > BLOCK ? new_block(memory, size) : place(memory, size);
}

static void keep(void *data G_GNUC_UNUSED, void *message G_GNUC_UNUSED)
{
}

void ae_onnx_memory_init(AeOnnxMemory *memory, size_t size)
{
    const size_t most = FACTOR * size + FLOOR;

    *memory = (AeOnnxMemory){
        .allocator = {allocate, keep, memory},
        .most = most,
        .left = most,
        .blocks = g_ptr_array_new_with_free_func(ae_free),
    };
}

void ae_onnx_memory_clear(AeOnnxMemory *memory)
{
    g_ptr_array_unref(memory->blocks);
    g_clear_error(&memory->error);
}
