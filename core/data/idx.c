/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idx files. A compressed file is unpacked into exactly the memory that its
 * header asks for, after a check that its size allows it: deflate packs at most
 * 1032 bytes into one. */
#include "data/idx.h"

#include <gio/gio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

enum {
    UNSIGNED_BYTE = 0x08,
    INT32 = 0x0c,
    MAGIC = 4,
    MAX_RANK = 4,
    MAX_HEADER = MAGIC + 4 * MAX_RANK,
    DEFLATE_RATIO = 1032,
};

static const int64_t max_size = G_MAXINT32;

/* A header: the shape, and the sizes of the header and of the whole file. */
typedef struct {
    int type, rank;
    int64_t dim[MAX_RANK];
    size_t header, total;
} Layout;

static int64_t read_be32(const uint8_t *bytes)
{
    return (int64_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static gboolean check_magic(const uint8_t *bytes, size_t size, const char *name,
                            GError **error)
{
    if (size < MAGIC || bytes[0] != 0 || bytes[1] != 0) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "%s is not an idx file: it does not begin with two zero "
                    "bytes, a type and a rank",
                    name);
        return FALSE;
    }
    if (bytes[2] == INT32 && (bytes[3] == 1 || bytes[3] == 2))
        return TRUE;
    if (bytes[2] != UNSIGNED_BYTE) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "%s holds data of idx type 0x%02x and rank %d; supported "
                    "are unsigned bytes (0x08), and labels of int32 (0x0c) of "
                    "rank 1 or 2",
                    name, bytes[2], bytes[3]);
        return FALSE;
    }
    if (bytes[3] != 1 && bytes[3] != 3 && bytes[3] != 4) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "%s has rank %d; supported are labels (1), gray images (3) "
                    "and RGB or gray images (4)",
                    name, bytes[3]);
        return FALSE;
    }
    return TRUE;
}

static gboolean check_size(Layout *layout, const char *name, GError **error)
{
    int64_t count = layout->type == INT32 ? 4 : 1; /* bytes */

    for (int i = 0; i < layout->rank; i++) {
        int64_t dim = layout->dim[i];
        if (dim == 0 || count > max_size / dim) {
            g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                        "%s: dimension %d is %" G_GINT64_FORMAT
                        "; the file would hold %s",
                        name, i, dim, dim ? "more than 2 GiB" : "nothing");
            return FALSE;
        }
        count *= dim;
    }
    layout->total = layout->header + (size_t)count;
    return TRUE;
}

/* Reads the header from the first bytes of a file, at most MAX_HEADER. */
static gboolean parse_header(Layout *layout, const uint8_t *bytes, size_t size,
                             const char *name, GError **error)
{
    if (!check_magic(bytes, size, name, error))
        return FALSE;
    layout->type = bytes[2];
    layout->rank = bytes[3];
    layout->header = MAGIC + 4 * (size_t)layout->rank;
    if (size < layout->header) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "%s ends within its header, after %" G_GSIZE_FORMAT
                    " bytes",
                    name, size);
        return FALSE;
    }
    for (int i = 0; i < layout->rank; i++)
        layout->dim[i] = read_be32(bytes + MAGIC + 4 * i);
    if (layout->rank == 4 && layout->dim[3] != 3 && layout->dim[3] != 1) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "%s has rank 4 and last dimension %" G_GINT64_FORMAT
                    "; only 3 (RGB) and 1 (gray) are supported",
                    name, layout->dim[3]);
        return FALSE;
    }
    return check_size(layout, name, error);
}

static gboolean wrong_size(const Layout *layout, const char *found,
                           const char *name, GError **error)
{
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "%s: its header asks for %" G_GSIZE_FORMAT
                " bytes in all, but it holds %s",
                name, layout->total, found);
    return FALSE;
}

/* The first number of each row: its class, in files such as QMNIST's. Takes
 * ownership of @bytes. */
static AeIdx *new_labels(const Layout *layout, GBytes *bytes, const char *name,
                         GError **error)
{
    g_autoptr(GBytes) owned = bytes;
    const uint8_t *data = g_bytes_get_data(bytes, NULL);
    const size_t n = (size_t)layout->dim[0];
    const size_t row = (layout->total - layout->header) / n;
    ae_autofree uint8_t *labels = ae_alloc(n, 1, error);

    for (size_t i = 0; labels != NULL && i < n; i++) {
        int64_t label = read_be32(data + layout->header + i * row);

        if (label > 255) {
            g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                        "%s: label %" G_GSIZE_FORMAT " is %d, and none from 0 "
                        "to 255",
                        name, i, (int32_t)label);
            return NULL;
        }
        labels[i] = (uint8_t)label;
    }
    if (labels == NULL)
        return NULL;

    AeIdx *idx = g_new0(AeIdx, 1);
    *idx = (AeIdx){.rank = 1, .dim = {layout->dim[0]}, .data = labels};
    idx->bytes = ae_bytes(g_steal_pointer(&labels), n);
    return idx;
}

/* Takes ownership of @bytes. */
static AeIdx *new_idx(const Layout *layout, GBytes *bytes, const char *name,
                      GError **error)
{
    if (layout->type == INT32)
        return new_labels(layout, bytes, name, error);

    AeIdx *idx = g_new0(AeIdx, 1);

    idx->rank = layout->rank == 4 && layout->dim[3] == 1 ? 3 : layout->rank;
    memcpy(idx->dim, layout->dim, sizeof idx->dim);
    idx->bytes = bytes;
    idx->data = (const uint8_t *)g_bytes_get_data(bytes, NULL) + layout->header;
    return idx;
}

static AeIdx *parse_bytes(GBytes *bytes, const char *name, GError **error)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);
    Layout layout = {0};

    if (!parse_header(&layout, data, size, name, error))
        return NULL;
    if (size != layout.total) {
        g_autofree char *found = g_strdup_printf("%" G_GSIZE_FORMAT, size);
        wrong_size(&layout, found, name, error);
        return NULL;
    }
    return new_idx(&layout, g_bytes_ref(bytes), name, error);
}

/* Reads @size bytes, or fewer at the end of the stream. -1: it is damaged. */
static gssize inflate(GInputStream *stream, uint8_t *target, size_t size,
                      const char *name, GError **error)
{
    g_autoptr(GError) cause = NULL;
    gsize done = 0;

    if (g_input_stream_read_all(stream, target, size, &done, NULL, &cause))
        return (gssize)done;
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "%s: the gzip data are damaged or cut off (%s)", name,
                cause->message);
    return -1;
}

static uint8_t *allocate(const Layout *layout, size_t packed, const char *name,
                         GError **error)
{
    if (layout->total / DEFLATE_RATIO > packed) {
        g_autofree char *found = g_strdup_printf(
            "only %" G_GSIZE_FORMAT " bytes of gzip data", packed);
        wrong_size(layout, found, name, error);
        return NULL;
    }
    uint8_t *memory = ae_alloc(layout->total, 1, error);
    if (memory == NULL)
        g_prefix_error(error, "%s: ", name);
    return memory;
}

/* Reads the elements after the header, and checks that nothing follows them. */
static gboolean inflate_rest(GInputStream *stream, uint8_t *memory,
                             const Layout *layout, const char *name,
                             GError **error)
{
    size_t wanted = layout->total - layout->header;
    uint8_t more;
    gssize n = inflate(stream, memory + layout->header, wanted, name, error);

    if (n < 0)
        return FALSE;
    if ((size_t)n < wanted) {
        g_autofree char *found =
            g_strdup_printf("%" G_GSIZE_FORMAT, layout->header + (size_t)n);
        return wrong_size(layout, found, name, error);
    }
    n = inflate(stream, &more, 1, name, error);
    if (n > 0)
        return wrong_size(layout, "more", name, error);
    return n == 0;
}

static AeIdx *parse_stream(GInputStream *stream, size_t packed,
                           const char *name, GError **error)
{
    uint8_t header[MAX_HEADER];
    Layout layout = {0};
    gssize n = inflate(stream, header, MAGIC, name, error);

    if (n < 0)
        return NULL;
    if (n == MAGIC && header[3] <= MAX_RANK) {
        gssize dims =
            inflate(stream, header + MAGIC, 4 * (size_t)header[3], name, error);
        if (dims < 0)
            return NULL;
        n += dims;
    }
    if (!parse_header(&layout, header, (size_t)n, name, error))
        return NULL;

    ae_autofree uint8_t *memory = allocate(&layout, packed, name, error);
    if (memory == NULL)
        return NULL;
    memcpy(memory, header, layout.header);
    if (!inflate_rest(stream, memory, &layout, name, error))
        return NULL;
    return new_idx(&layout, ae_bytes(g_steal_pointer(&memory), layout.total),
                   name, error);
}

static AeIdx *parse_gzip(GBytes *bytes, const char *name, GError **error)
{
    g_autoptr(GInputStream) packed =
        g_memory_input_stream_new_from_bytes(bytes);
    g_autoptr(GZlibDecompressor) gzip =
        g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    g_autoptr(GInputStream) stream =
        g_converter_input_stream_new(packed, G_CONVERTER(gzip));

    return parse_stream(stream, g_bytes_get_size(bytes), name, error);
}

static AeIdx *parse_any(GBytes *bytes, const char *name, GError **error)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);

    if (size >= 2 && data[0] == 0x1f && data[1] == 0x8b)
        return parse_gzip(bytes, name, error);
    return parse_bytes(bytes, name, error);
}

AeIdx *ae_idx_load(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = ae_file_read(path, error);

    return bytes ? parse_any(bytes, path, error) : NULL;
}

AeIdx *ae_idx_parse(const void *data, size_t size, const char *name,
                    GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);

    return parse_any(bytes, name, error);
}

gboolean ae_idx_save(const AeIdx *idx, const char *path, GError **error)
{
    const size_t header = MAGIC + 4 * (size_t)idx->rank;
    const size_t size = (size_t)idx->dim[0] * ae_idx_item_size(idx);
    ae_autofree uint8_t *bytes = ae_alloc(header + size, 1, error);

    if (bytes == NULL)
        return FALSE;
    bytes[2] = UNSIGNED_BYTE;
    bytes[3] = (uint8_t)idx->rank;
    for (int i = 0; i < idx->rank; i++)
        for (int j = 0; j < 4; j++)
            bytes[MAGIC + 4 * i + j] = (uint8_t)(idx->dim[i] >> (24 - 8 * j));
    memcpy(bytes + header, idx->data, size);
    return ae_file_write(path, bytes, header + size, error);
}

void ae_idx_free(AeIdx *idx)
{
    if (idx == NULL)
        return;
    g_bytes_unref(idx->bytes);
    g_free(idx);
}

size_t ae_idx_item_size(const AeIdx *idx)
{
    size_t size = 1;

    for (int i = 1; i < idx->rank; i++)
        size *= (size_t)idx->dim[i];
    return size;
}

AeImage ae_idx_image(const AeIdx *images, int64_t i)
{
    const size_t at = (size_t)i * ae_idx_item_size(images);

    return (AeImage){(int)images->dim[2], (int)images->dim[1],
                     images->rank == 4 ? (int)images->dim[3] : 1,
                     (uint8_t *)images->data + at};
}
