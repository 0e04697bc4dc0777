/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* safetensors files. The header is scanned before json-glib parses it. The scan
 * bounds its depth, and rejects comments, literals, fractions and repeated
 * keys, which json-glib would accept. */
#include "model/safetensors.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

enum {
    LENGTH_SIZE = 8, /* bytes of the header's length */
    MAX_HEADER = 100000000,
    MAX_DEPTH = 3, /* of file, tensor and shape */
};

static const char metadata_key[] = "__metadata__";

static const struct {
    const char *name;
    int size;                       /* of an element, in bytes */
    float (*decode)(uint16_t bits); /* NULL: elements are floats */
} types[] = {
    {"F32", 4, NULL},
    {"F16", 2, ae_float_from_half},
    {"BF16", 2, ae_float_from_bfloat},
};

typedef struct {
    const char *name; /* borrowed from the JSON */
    size_t type;      /* of types */
    AeShape shape;
    gint64 begin, end; /* bytes from the start of the data */
} Entry;

typedef struct {
    const char *text; /* without a 0 at its end */
    gsize length;
    const uint8_t *data;
    gint64 size;
} Parts;

G_GNUC_PRINTF(2, 3)
static gboolean fail(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_propagate_error(
        error, g_error_new_valist(AE_ERROR, AE_ERROR_FORMAT, format, args));
    va_end(args);
    return FALSE;
}

static gboolean split(const uint8_t *data, gsize size, Parts *parts,
                      GError **error)
{
    guint64 length = 0;

    if (size < LENGTH_SIZE)
        return fail(error, "it is too short to be a safetensors file");
    for (int i = 0; i < LENGTH_SIZE; i++)
        length |= (guint64)data[i] << (8 * i);
    if (length > MAX_HEADER || length > size - LENGTH_SIZE)
        return fail(error,
                    "the header has %" G_GUINT64_FORMAT
                    " bytes, but the file has only %" G_GSIZE_FORMAT
                    " and %d are allowed",
                    length, size, MAX_HEADER);
    parts->text = (const char *)data + LENGTH_SIZE;
    parts->length = length;
    parts->data = data + LENGTH_SIZE + length;
    parts->size = size - LENGTH_SIZE - length;
    return TRUE;
}

/* The end of the string that starts after @i; @length if it does not end. */
static gsize skip_string(const char *text, gsize length, gsize i)
{
    for (i++; i < length && text[i] != '"'; i++)
        if (text[i] == '\\')
            i++;
    return MIN(i, length);
}

/* Checks depth and characters, and counts the members of all objects. */
static gboolean scan(const Parts *parts, gsize *members, GError **error)
{
    int depth = 0;

    *members = 0;
    if (parts->length == 0 || parts->text[0] != '{')
        return fail(error, "the header is no JSON object");
    for (gsize i = 0; i < parts->length; i++) {
        char c = parts->text[i];

        if (i > 0 && depth == 0 && !strchr(" \t\r\n", c))
            return fail(error, "the header does not end with its object");
        if (c == '"')
            i = skip_string(parts->text, parts->length, i);
        else if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        else if (c == ':')
            ++*members;
        else if (c == '\0' || !strchr(", \t\r\n0123456789", c))
            return fail(error, "the header contains an unexpected byte 0x%02x",
                        (unsigned char)c);
        if (depth > MAX_DEPTH)
            return fail(error, "the header is nested too deeply");
    }
    return TRUE;
}

static JsonObject *member_object(JsonObject *parent, const char *name)
{
    JsonNode *node = json_object_get_member(parent, name);

    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/* Checks that the parsed objects have as many members as the text; a repeated
 * key is there once. */
static gboolean check_keys(JsonObject *root, gsize members, GError **error)
{
    g_autoptr(GList) keys = json_object_get_members(root);
    gsize found = json_object_get_size(root);

    for (GList *key = keys; key != NULL; key = key->next) {
        JsonObject *object = member_object(root, key->data);

        if (object == NULL)
            return fail(error, "'%s' is no JSON object", (char *)key->data);
        found += json_object_get_size(object);
    }
    if (found != members)
        return fail(error, "a key stands twice in the header");
    return TRUE;
}

static gboolean read_metadata(AeSafetensors *file, JsonObject *metadata,
                              GError **error)
{
    g_autoptr(GList) keys = json_object_get_members(metadata);

    for (GList *key = keys; key != NULL; key = key->next) {
        JsonNode *node = json_object_get_member(metadata, key->data);

        if (json_node_get_value_type(node) != G_TYPE_STRING)
            return fail(error, "metadata '%s' is no string", (char *)key->data);
        g_hash_table_insert(file->metadata, g_strdup(key->data),
                            json_node_dup_string(node));
    }
    return TRUE;
}

/* Reads at most @max whole numbers >= 0 and returns their number; -1 if the
 * member is anything else. */
static int read_numbers(JsonObject *object, const char *name, gint64 *numbers,
                        int max)
{
    JsonNode *node = json_object_get_member(object, name);
    JsonArray *array;
    guint n;

    if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node))
        return -1;
    array = json_node_get_array(node);
    n = json_array_get_length(array);
    for (guint i = 0; i < MIN(n, (guint)max); i++) {
        JsonNode *element = json_array_get_element(array, i);

        if (json_node_get_value_type(element) != G_TYPE_INT64 ||
            json_node_get_int(element) < 0)
            return -1;
        numbers[i] = json_node_get_int(element);
    }
    return (int)MIN(n, G_MAXINT32);
}

static gboolean read_data_type(JsonObject *object, Entry *entry, GError **error)
{
    JsonNode *node = json_object_get_member(object, "dtype");
    const char *type =
        node != NULL && json_node_get_value_type(node) == G_TYPE_STRING
            ? json_node_get_string(node)
            : NULL;

    if (type == NULL)
        return fail(error, "tensor '%s' has no data type", entry->name);
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(type, types[i].name) == 0) {
            entry->type = i;
            return TRUE;
        }
    g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                "tensor '%s' is of data type %s, but only F32, F16 and BF16 "
                "are supported",
                entry->name, type);
    return FALSE;
}

static gboolean read_shape(JsonObject *object, Entry *entry, GError **error)
{
    entry->shape.rank =
        read_numbers(object, "shape", entry->shape.dim, AE_MAX_RANK);
    if (entry->shape.rank < 0)
        return fail(error, "tensor '%s' has no valid shape", entry->name);
    if (entry->shape.rank <= AE_MAX_RANK)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                "tensor '%s' has rank %d, but at most %d is supported",
                entry->name, entry->shape.rank, AE_MAX_RANK);
    return FALSE;
}

static gboolean read_entry(JsonObject *object, const Parts *parts, Entry *entry,
                           GError **error)
{
    gint64 offsets[2];
    int64_t count;

    if (!read_data_type(object, entry, error) ||
        !read_shape(object, entry, error))
        return FALSE;
    if (json_object_get_size(object) != 3 ||
        read_numbers(object, "data_offsets", offsets, 2) != 2)
        return fail(error, "tensor '%s' needs dtype, shape and two offsets",
                    entry->name);
    entry->begin = offsets[0];
    entry->end = offsets[1];
    if (entry->end > parts->size || entry->begin > entry->end)
        return fail(error,
                    "tensor '%s' lies at bytes %" G_GINT64_FORMAT
                    " to %" G_GINT64_FORMAT ", but there are %" G_GINT64_FORMAT,
                    entry->name, entry->begin, entry->end, parts->size);
    if (!ae_shape_count(&entry->shape, &count, NULL) ||
        count * types[entry->type].size != entry->end - entry->begin)
        return fail(error,
                    "tensor '%s' has %" G_GINT64_FORMAT
                    " bytes, which is not what its shape asks for",
                    entry->name, entry->end - entry->begin);
    return TRUE;
}

static int compare_entries(const void *a, const void *b)
{
    const Entry *left = a, *right = b;

    if (left->begin != right->begin)
        return left->begin < right->begin ? -1 : 1;
    return (left->end > right->end) - (left->end < right->end);
}

static gboolean check_tiling(const GArray *entries, gint64 size, GError **error)
{
    g_autoptr(GArray) sorted = g_array_copy((GArray *)entries);
    gint64 end = 0;

    g_array_sort(sorted, compare_entries);
    for (guint i = 0; i < sorted->len; i++) {
        const Entry *entry = &g_array_index(sorted, Entry, i);

        if (entry->begin != end)
            return fail(error, "tensor '%s' leaves a hole or overlaps another",
                        entry->name);
        end = entry->end;
    }
    if (end != size)
        return fail(error,
                    "there are %" G_GINT64_FORMAT
                    " bytes of data, but the tensors end at %" G_GINT64_FORMAT,
                    size, end);
    return TRUE;
}

static void append(AeSafetensors *file, const char *name, AeTensor *tensor)
{
    g_ptr_array_add(file->names, g_strdup(name));
    g_ptr_array_add(file->tensors, tensor);
}

/* Converts the data of a tensor of @count elements. */
static void read_values(float *values, const uint8_t *data, gsize count,
                        const Entry *entry)
{
    if (types[entry->type].decode == NULL) {
        ae_floats_from_bytes(values, data, count);
        return;
    }
    for (gsize i = 0; i < count; i++)
        values[i] = types[entry->type].decode(
            (uint16_t)(data[2 * i] | data[2 * i + 1] << 8));
}

static gboolean read_tensor(AeSafetensors *file, const Entry *entry,
                            const Parts *parts, GError **error)
{
    AeTensor *tensor = ae_tensor_new(&entry->shape, error);
    gsize count = (entry->end - entry->begin) / types[entry->type].size;
    ae_autofree float *values = ae_alloc_floats(count);

    if (tensor == NULL || values == NULL) {
        ae_tensor_free(tensor);
        g_clear_error(error);
        g_set_error(error, AE_ERROR, AE_ERROR_MEMORY,
                    "not enough memory for tensor '%s'", entry->name);
        return FALSE;
    }
    read_values(values, parts->data + entry->begin, count, entry);
    ae_tensor_from_row_major(tensor, values);
    append(file, entry->name, tensor);
    return TRUE;
}

/* Reads the tensors of the header, in its order. */
static GArray *read_entries(JsonObject *root, const Parts *parts,
                            GError **error)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(Entry));
    g_autoptr(GList) keys = json_object_get_members(root);

    for (GList *key = keys; key != NULL; key = key->next) {
        Entry entry = {.name = key->data};

        if (strcmp(key->data, metadata_key) == 0)
            continue;
        if (!read_entry(member_object(root, key->data), parts, &entry, error))
            return NULL;
        g_array_append_val(entries, entry);
    }
    if (!check_tiling(entries, parts->size, error))
        return NULL;
    return g_steal_pointer(&entries);
}

static gboolean read_root(AeSafetensors *file, JsonObject *root,
                          const Parts *parts, gsize members, GError **error)
{
    g_autoptr(GArray) entries = NULL;

    if (!check_keys(root, members, error))
        return FALSE;
    if (json_object_has_member(root, metadata_key) &&
        !read_metadata(file, member_object(root, metadata_key), error))
        return FALSE;
    entries = read_entries(root, parts, error);
    for (guint i = 0; entries != NULL && i < entries->len; i++)
        if (!read_tensor(file, &g_array_index(entries, Entry, i), parts, error))
            return FALSE;
    return entries != NULL;
}

static gboolean parse(AeSafetensors *file, const void *data, size_t size,
                      GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) reason = NULL;
    JsonNode *root;
    Parts parts = {0};
    gsize members;

    if (!split(data, size, &parts, error) || !scan(&parts, &members, error))
        return FALSE;
    if (!json_parser_load_from_data(parser, parts.text, parts.length, &reason))
        return fail(error, "the header is damaged: %s", reason->message);
    root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return fail(error, "the header is no JSON object");
    return read_root(file, json_node_get_object(root), &parts, members, error);
}

static void write_metadata(JsonBuilder *builder, GHashTable *metadata)
{
    g_autoptr(GList) keys =
        g_list_sort(g_hash_table_get_keys(metadata), (GCompareFunc)strcmp);

    if (keys == NULL)
        return;
    json_builder_set_member_name(builder, metadata_key);
    json_builder_begin_object(builder);
    for (GList *key = keys; key != NULL; key = key->next) {
        json_builder_set_member_name(builder, key->data);
        json_builder_add_string_value(builder,
                                      g_hash_table_lookup(metadata, key->data));
    }
    json_builder_end_object(builder);
}

/* Returns the end of the tensor's data in the file. */
static gint64 write_entry(JsonBuilder *builder, const char *name,
                          const AeTensor *tensor, gint64 begin)
{
    gint64 end = begin + 4 * ae_shape_elements(&tensor->shape);

    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "dtype");
    json_builder_add_string_value(builder, "F32");
    json_builder_set_member_name(builder, "shape");
    json_builder_begin_array(builder);
    for (int i = 0; i < tensor->shape.rank; i++)
        json_builder_add_int_value(builder, tensor->shape.dim[i]);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "data_offsets");
    json_builder_begin_array(builder);
    json_builder_add_int_value(builder, begin);
    json_builder_add_int_value(builder, end);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return end;
}

/* The text of the header, padded so that the data starts at a multiple of 8. */
static GString *write_header(const AeSafetensors *file, gint64 *size)
{
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
    g_autoptr(JsonGenerator) generator = json_generator_new();
    g_autoptr(JsonNode) root = NULL;
    GString *text = g_string_new(NULL);

    *size = 0;
    json_builder_begin_object(builder);
    write_metadata(builder, file->metadata);
    for (guint i = 0; i < file->tensors->len; i++)
        *size = write_entry(builder, g_ptr_array_index(file->names, i),
                            g_ptr_array_index(file->tensors, i), *size);
    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    json_generator_set_root(generator, root);
    json_generator_to_gstring(generator, text);
    while (text->len % 8 != 0)
        g_string_append_c(text, ' ');
    return text;
}

static gboolean write_data(const AeSafetensors *file, uint8_t *target,
                           GError **error)
{
    for (guint i = 0; i < file->tensors->len; i++) {
        const AeTensor *tensor = g_ptr_array_index(file->tensors, i);
        gint64 count = ae_shape_elements(&tensor->shape);
        ae_autofree float *values =
            ae_alloc((size_t)count, sizeof *values, error);

        if (values == NULL)
            return FALSE;
        ae_tensor_to_row_major(tensor, values);
        ae_floats_to_bytes(target, values, count);
        target += 4 * count;
    }
    return TRUE;
}

AeSafetensors *ae_safetensors_new(void)
{
    AeSafetensors *file = g_new0(AeSafetensors, 1);

    file->names = g_ptr_array_new_with_free_func(g_free);
    file->tensors =
        g_ptr_array_new_with_free_func((GDestroyNotify)ae_tensor_free);
    file->metadata =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return file;
}

void ae_safetensors_free(AeSafetensors *file)
{
    if (file == NULL)
        return;
    g_ptr_array_unref(file->names);
    g_ptr_array_unref(file->tensors);
    g_hash_table_unref(file->metadata);
    g_free(file);
}

void ae_safetensors_add(AeSafetensors *file, const char *name, AeTensor *tensor)
{
    g_assert(ae_safetensors_find(file, name) == NULL);
    append(file, name, tensor);
}

const AeTensor *ae_safetensors_find(const AeSafetensors *file, const char *name)
{
    for (guint i = 0; i < file->names->len; i++)
        if (strcmp(g_ptr_array_index(file->names, i), name) == 0)
            return g_ptr_array_index(file->tensors, i);
    return NULL;
}

AeSafetensors *ae_safetensors_parse(const void *data, size_t size,
                                    const char *name, GError **error)
{
    g_autoptr(AeSafetensors) file = ae_safetensors_new();

    if (parse(file, data, size, error))
        return g_steal_pointer(&file);
    g_prefix_error(error, "%s: ", name);
    return NULL;
}

AeSafetensors *ae_safetensors_load(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = ae_file_read(path, error);

    if (bytes == NULL)
        return NULL;
    return ae_safetensors_parse(g_bytes_get_data(bytes, NULL),
                                g_bytes_get_size(bytes), path, error);
}

gboolean ae_safetensors_save(const AeSafetensors *file, const char *path,
                             GError **error)
{
    gint64 size;
    g_autoptr(GString) header = write_header(file, &size);
    gsize total = LENGTH_SIZE + header->len + size;
    ae_autofree uint8_t *bytes = ae_alloc(total, 1, error);

    if (bytes == NULL ||
        !write_data(file, bytes + LENGTH_SIZE + header->len, error)) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    for (int i = 0; i < LENGTH_SIZE; i++)
        bytes[i] = (uint8_t)((guint64)header->len >> (8 * i));
    memcpy(bytes + LENGTH_SIZE, header->str, header->len);
    return ae_file_write(path, bytes, total, error);
}
