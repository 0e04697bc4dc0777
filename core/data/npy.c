/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file begins with "\x93NUMPY", version 1.0, and the size of a text. The text
 * is the literal of a Python dictionary with type, order and shape. */
#include "data/npy.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

enum {
    MAGIC = 6,
    PREFIX = MAGIC + 2 + 2, /* with version and size of the text */
    ALIGN = 64,             /* the numbers begin at a multiple of this */
};

static const char magic[] = "\x93NUMPY";

/* The text after "'key':" in the dictionary, or NULL. */
static const char *find(const char *header, const char *key)
{
    g_autofree char *quoted = g_strdup_printf("'%s':", key);
    const char *at = strstr(header, quoted);

    if (at == NULL)
        return NULL;
    at += strlen(quoted);
    return at + strspn(at, " ");
}

/* Reads a shape: "(3, 2)", "(3,)" or "()". */
static gboolean parse_shape(const char *text, AeShape *shape)
{
    *shape = (AeShape){0};
    if (text == NULL || *text++ != '(')
        return FALSE;
    for (text += strspn(text, " "); *text != ')'; text += strspn(text, ", ")) {
        char *end;
        guint64 dim = g_ascii_strtoull(text, &end, 10);

        if (!g_ascii_isdigit(*text) || shape->rank == AE_MAX_RANK ||
            dim > G_MAXINT32)
            return FALSE;
        shape->dim[shape->rank++] = (int64_t)dim;
        text = end;
    }
    return TRUE;
}

static gboolean parse_header(const char *header, AeShape *shape, GError **error)
{
    const char *type = find(header, "descr");
    const char *order = find(header, "fortran_order");

    if (type == NULL || order == NULL ||
        !parse_shape(find(header, "shape"), shape)) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "the header tells no type, order and shape");
        return FALSE;
    }
    if (!g_str_has_prefix(type, "'<f4'") || !g_str_has_prefix(order, "False")) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "the array is not of float32 in C order, as "
                    "numpy.ascontiguousarray(a, '<f4') makes it");
        return FALSE;
    }
    return TRUE;
}

/* The text after the first PREFIX bytes. Free with g_free(). */
static char *read_header(const uint8_t *data, size_t size, GError **error)
{
    size_t length;

    if (size < PREFIX || memcmp(data, magic, MAGIC) != 0) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT, "it is no npy file");
        return NULL;
    }
    if (data[6] != 1 || data[7] != 0) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "its version is %d.%d; only 1.0 is supported", data[6],
                    data[7]);
        return NULL;
    }
    length = data[8] | (size_t)data[9] << 8;
    if (size < PREFIX + length) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "the file ends within its header");
        return NULL;
    }
    return g_strndup((const char *)data + PREFIX, length);
}

/* Checks that @size bytes hold the numbers of @shape. */
static gboolean check_size(const AeShape *shape, size_t size, GError **error)
{
    g_autofree char *text = ae_shape_to_string(shape);
    int64_t count;

    if (!ae_shape_count(shape, &count, error))
        return FALSE;
    if ((uint64_t)count * sizeof(float) == size)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "%s numbers do not fit the %" G_GSIZE_FORMAT
                " bytes behind the header",
                text, size);
    return FALSE;
}

static AeTensor *parse(const uint8_t *data, size_t size, GError **error)
{
    g_autofree char *header = read_header(data, size, error);
    AeTensor *tensor;
    AeShape shape;
    size_t begin;

    if (header == NULL || !parse_header(header, &shape, error))
        return NULL;
    begin = PREFIX + (data[8] | (size_t)data[9] << 8);
    if (!check_size(&shape, size - begin, error))
        return NULL;
    ae_autofree float *values =
        ae_alloc((size - begin) / 4, sizeof *values, error);
    if (values == NULL)
        return NULL;
    tensor = ae_tensor_new(&shape, error);
    if (tensor == NULL)
        return NULL;
    ae_floats_from_bytes(values, data + begin, (size - begin) / 4);
    ae_tensor_from_row_major(tensor, values);
    return tensor;
}

static GString *write_header(const AeShape *shape)
{
    GString *text = g_string_new_len(magic, MAGIC);

    g_string_append_len(text, "\x01\0\0\0", PREFIX - MAGIC);
    g_string_append(text, "{'descr': '<f4', 'fortran_order': False, "
                          "'shape': (");
    for (int i = 0; i < shape->rank; i++)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "",
                               shape->dim[i]);
    g_string_append(text, shape->rank == 1 ? ",), }" : "), }");
    while ((text->len + 1) % ALIGN != 0)
        g_string_append_c(text, ' ');
    g_string_append_c(text, '\n');
    text->str[PREFIX - 2] = (char)((text->len - PREFIX) & 255);
    text->str[PREFIX - 1] = (char)((text->len - PREFIX) >> 8);
    return text;
}

AeTensor *ae_npy_parse(const void *data, size_t size, const char *name,
                       GError **error)
{
    AeTensor *tensor = parse(data, size, error);

    if (tensor == NULL)
        g_prefix_error(error, "%s: ", name);
    return tensor;
}

AeTensor *ae_npy_load(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = ae_file_read(path, error);
    size_t size;
    const void *data;

    if (bytes == NULL)
        return NULL;
    data = g_bytes_get_data(bytes, &size);
    return ae_npy_parse(data, size, path, error);
}

gboolean ae_npy_save(const AeTensor *tensor, const char *path, GError **error)
{
    size_t count = (size_t)ae_shape_elements(&tensor->shape);
    g_autoptr(GString) header = write_header(&tensor->shape);
    size_t size = header->len + count * sizeof(float);
    ae_autofree float *values = ae_alloc(count, sizeof *values, error);
    ae_autofree char *file = values != NULL ? ae_alloc(size, 1, error) : NULL;

    if (file == NULL)
        return FALSE;
    memcpy(file, header->str, header->len);
    ae_tensor_to_row_major(tensor, values);
    ae_floats_to_bytes(file + header->len, values, count);
    return ae_file_write(path, file, size, error);
}
