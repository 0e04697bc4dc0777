/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors of ONNX files. A TensorProto holds its elements as little-endian
 * bytes (raw_data) or in one of five typed fields. From either, an element's
 * bits are read first and then decoded by its type. */
#include "model/onnx-tensor.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "model/onnx-external.h"
#include "model/onnx-parse.h"

typedef enum {
    FIELD_FLOAT,
    FIELD_INT32,
    FIELD_INT64,
    FIELD_DOUBLE,
    FIELD_UINT64,
} Field;

typedef struct {
    int32_t type;
    const char *name;
    int size; /* bytes of an element in raw_data; 0: it cannot be read */
    gboolean integer;
    Field field; /* that holds the elements if raw_data does not */
    float (*decode)(uint64_t bits, int size);
} ElementType;

static float decode_float(uint64_t bits, int size G_GNUC_UNUSED)
{
    uint32_t low = (uint32_t)bits;
    float value;

    memcpy(&value, &low, sizeof value);
    return value;
}

static float decode_double(uint64_t bits, int size G_GNUC_UNUSED)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return (float)value;
}

static float decode_float16(uint64_t bits, int size G_GNUC_UNUSED)
{
    return ae_float_from_half((uint16_t)bits);
}

static float decode_bfloat16(uint64_t bits, int size G_GNUC_UNUSED)
{
    return ae_float_from_bfloat((uint16_t)bits);
}

static float decode_signed(uint64_t bits, int size)
{
    const int spare = 64 - 8 * size;

    return (float)((int64_t)(bits << spare) >> spare);
}

static float decode_unsigned(uint64_t bits, int size)
{
    const int spare = 64 - 8 * size;

    return (float)(bits << spare >> spare);
}

static float decode_bool(uint64_t bits, int size)
{
    return decode_unsigned(bits, size) != 0;
}

static const ElementType types[] = {
    {AE_ELEMENT_FLOAT, "float", 4, FALSE, FIELD_FLOAT, decode_float},
    {AE_ELEMENT_UINT8, "uint8", 1, TRUE, FIELD_INT32, decode_unsigned},
    {AE_ELEMENT_INT8, "int8", 1, TRUE, FIELD_INT32, decode_signed},
    {AE_ELEMENT_UINT16, "uint16", 2, TRUE, FIELD_INT32, decode_unsigned},
    {AE_ELEMENT_INT16, "int16", 2, TRUE, FIELD_INT32, decode_signed},
    {AE_ELEMENT_INT32, "int32", 4, TRUE, FIELD_INT32, decode_signed},
    {AE_ELEMENT_INT64, "int64", 8, TRUE, FIELD_INT64, decode_signed},
    {AE_ELEMENT_STRING, "string", 0, FALSE, 0, NULL},
    {AE_ELEMENT_BOOL, "bool", 1, TRUE, FIELD_INT32, decode_bool},
    {AE_ELEMENT_FLOAT16, "float16", 2, FALSE, FIELD_INT32, decode_float16},
    {AE_ELEMENT_DOUBLE, "double", 8, FALSE, FIELD_DOUBLE, decode_double},
    {AE_ELEMENT_UINT32, "uint32", 4, TRUE, FIELD_UINT64, decode_unsigned},
    {AE_ELEMENT_UINT64, "uint64", 8, TRUE, FIELD_UINT64, decode_unsigned},
    {AE_ELEMENT_COMPLEX64, "complex64", 0, FALSE, 0, NULL},
    {AE_ELEMENT_COMPLEX128, "complex128", 0, FALSE, 0, NULL},
    {AE_ELEMENT_BFLOAT16, "bfloat16", 2, FALSE, FIELD_INT32, decode_bfloat16},
};

static const ElementType *find_type(int32_t type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].type == type)
            return &types[i];
    return NULL;
}

static gboolean read_shape(const Onnx__TensorProto *proto, AeShape *shape,
                           int64_t *count, GError **error)
{
    if (proto->n_dims > AE_MAX_RANK) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "its rank is %" G_GSIZE_FORMAT ", but at most %d is "
                    "supported",
                    proto->n_dims, AE_MAX_RANK);
        return FALSE;
    }
    shape->rank = (int)proto->n_dims;
    for (int i = 0; i < shape->rank; i++)
        shape->dim[i] = proto->dims[i];
    if (!ae_shape_count(shape, count, NULL)) {
        g_autofree char *text = ae_shape_to_string(shape);

        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "its shape %s is impossible", text);
        return FALSE;
    }
    return TRUE;
}

static gsize typed_length(const Onnx__TensorProto *proto, Field field)
{
    switch (field) {
    case FIELD_FLOAT:
        return proto->n_float_data;
    case FIELD_INT32:
        return proto->n_int32_data;
    case FIELD_INT64:
        return proto->n_int64_data;
    case FIELD_DOUBLE:
        return proto->n_double_data;
    case FIELD_UINT64:
        return proto->n_uint64_data;
    }
    g_assert_not_reached();
}

static gboolean check_size(const Onnx__TensorProto *proto,
                           const ElementType *type, int64_t count,
                           GError **error)
{
    guint64 expected = (guint64)count * (proto->has_raw_data ? type->size : 1);
    guint64 found = proto->has_raw_data ? proto->raw_data.len
                                        : typed_length(proto, type->field);

    if (expected == found)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "its shape asks for %" G_GUINT64_FORMAT
                " %s of %s, but there are %" G_GUINT64_FORMAT,
                expected, proto->has_raw_data ? "bytes" : "elements",
                type->name, found);
    return FALSE;
}

/* The bytes of a tensor of @count elements, in the file or outside; NULL with
 * no error: they are elements of a typed field. */
static GBytes *read_bytes(const Onnx__TensorProto *proto, const char *folder,
                          const ElementType *type, int64_t count,
                          GError **error)
{
    if (proto->has_segment) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "it is stored in segments, which is not supported");
        return NULL;
    }
    if (ae_onnx_is_external(proto))
        return ae_onnx_external_read(proto, folder,
                                     (gsize)count * (gsize)type->size, error);
    if (!check_size(proto, type, count, error) || !proto->has_raw_data)
        return NULL;
    return g_bytes_new_static(proto->raw_data.data, proto->raw_data.len);
}

/* Element @i, of @size bytes. */
static uint64_t raw_bits(const uint8_t *bytes, int size, int64_t i)
{
    uint64_t bits = 0;

    bytes += i * size;
    for (int k = 0; k < size; k++)
        bits |= (uint64_t)bytes[k] << (8 * k);
    return bits;
}

static uint64_t typed_bits(const Onnx__TensorProto *proto, Field field,
                           int64_t i)
{
    uint32_t bits = 0;
    uint64_t wide = 0;

    switch (field) {
    case FIELD_FLOAT:
        memcpy(&bits, &proto->float_data[i], sizeof bits);
        return bits;
    case FIELD_INT32:
        return (uint64_t)(int64_t)proto->int32_data[i];
    case FIELD_INT64:
        return (uint64_t)proto->int64_data[i];
    case FIELD_DOUBLE:
        memcpy(&wide, &proto->double_data[i], sizeof wide);
        return wide;
    case FIELD_UINT64:
        return proto->uint64_data[i];
    }
    g_assert_not_reached();
}

/* Reads the elements in row-major order. @bytes NULL: from a typed field. */
static void decode(const Onnx__TensorProto *proto, GBytes *bytes,
                   const ElementType *type, int64_t count, float *values)
{
    const uint8_t *raw = bytes != NULL ? g_bytes_get_data(bytes, NULL) : NULL;

    if (bytes != NULL && type->decode == decode_float) {
        ae_floats_from_bytes(values, raw, count);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = bytes != NULL ? raw_bits(raw, type->size, i)
                                      : typed_bits(proto, type->field, i);

        values[i] = type->decode(bits, type->size);
    }
}

static AeElement element_of(int32_t type)
{
    return type >= AE_ELEMENT_UINT8 && type <= AE_ELEMENT_INT32
               ? (AeElement)type
               : AE_ELEMENT_DEFAULT;
}

static AeTensor *build(const Onnx__TensorProto *proto, GBytes *bytes,
                       const ElementType *type, const AeShape *shape,
                       int64_t count, GError **error)
{
    AeTensor *tensor = ae_tensor_new(shape, error);
    ae_autofree float *values =
        tensor != NULL ? ae_alloc((size_t)count, sizeof *values, error) : NULL;

    if (values == NULL) {
        ae_tensor_free(tensor);
        return NULL;
    }
    tensor->integer = type->integer;
    tensor->element = element_of(type->type);
    decode(proto, bytes, type, count, values);
    ae_tensor_from_row_major(tensor, values);
    return tensor;
}

static AeTensor *read_tensor(const Onnx__TensorProto *proto, const char *folder,
                             GError **error)
{
    const ElementType *type = find_type(proto->data_type);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) failure = NULL;
    AeShape shape = {0};
    int64_t count;

    if (type == NULL || type->size == 0) {
        g_autofree char *name = ae_onnx_type_name(proto->data_type);

        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "its elements are of %s, which is not supported", name);
        return NULL;
    }
    if (!read_shape(proto, &shape, &count, error))
        return NULL;
    bytes = read_bytes(proto, folder, type, count, &failure);
    if (failure == NULL)
        return build(proto, bytes, type, &shape, count, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

/* The nearest int64. INT64_MAX, which means "to the end" in Slice and which
 * floats cannot hold, comes back as it was. */
static int64_t saturate(float value)
{
    if (value >= 0x1p63f)
        return G_MAXINT64;
    if (value >= -0x1p63f)
        return (int64_t)value;
    return G_MININT64;
}

static void encode_integers(uint8_t *bytes, const float *values, int64_t count,
                            int size)
{
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = (uint64_t)saturate(values[i]);

        for (int k = 0; k < size; k++)
            bytes[size * i + k] = (uint8_t)(bits >> (8 * k));
    }
}

char *ae_onnx_type_name(int32_t type)
{
    const ElementType *found = find_type(type);

    return found ? g_strdup(found->name) : g_strdup_printf("type %d", type);
}

gboolean ae_onnx_type_read(int32_t type, gboolean *integer, AeElement *element)
{
    const ElementType *found = find_type(type);

    *integer = found != NULL && found->integer;
    *element = element_of(type);
    return found != NULL && found->size > 0;
}

int32_t ae_onnx_type_written(gboolean integer, AeElement element)
{
    if (!integer)
        return AE_ELEMENT_FLOAT;
    return element != AE_ELEMENT_DEFAULT ? (int32_t)element : AE_ELEMENT_INT64;
}

AeTensor *ae_onnx_tensor_read(const Onnx__TensorProto *proto,
                              const char *folder, GError **error)
{
    AeTensor *tensor = read_tensor(proto, folder, error);

    if (tensor == NULL)
        g_prefix_error(error, "tensor '%s': ", proto->name ? proto->name : "");
    return tensor;
}

gboolean ae_onnx_tensor_write(Onnx__TensorProto *proto, const char *name,
                              const AeTensor *tensor, GError **error)
{
    int64_t count = ae_shape_elements(&tensor->shape);
    int32_t type = ae_onnx_type_written(tensor->integer, tensor->element);
    gsize size = (gsize)(count * find_type(type)->size);
    ae_autofree float *values = ae_alloc((size_t)count, sizeof *values, error);
    uint8_t *bytes = values != NULL ? ae_alloc(size, 1, error) : NULL;

    if (bytes == NULL)
        return FALSE;
    ae_tensor_to_row_major(tensor, values);
    if (tensor->integer)
        encode_integers(bytes, values, count, find_type(type)->size);
    else
        ae_floats_to_bytes(bytes, values, count);
    onnx__tensor_proto__init(proto);
    proto->name = (char *)name;
    proto->n_dims = (size_t)tensor->shape.rank;
    proto->dims = (int64_t *)tensor->shape.dim;
    proto->has_data_type = TRUE;
    proto->data_type = type;
    proto->has_raw_data = TRUE;
    proto->raw_data = (ProtobufCBinaryData){size, bytes};
    return TRUE;
}

AeTensor *ae_onnx_parse_tensor(const void *data, size_t size, GError **error)
{
    Onnx__TensorProto *proto = onnx__tensor_proto__unpack(NULL, size, data);
    AeTensor *tensor = NULL;

    if (proto == NULL)
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "the tensor is damaged or truncated");
    else
        tensor = ae_onnx_tensor_read(proto, NULL, error);
    onnx__tensor_proto__free_unpacked(proto, NULL);
    return tensor;
}
