/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes ONNX files of IR version 8 with the opset of the model. Equal models
 * give equal bytes. */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/onnx-tensor.h"
#include "model/onnx.h"
#include "onnx.pb-c.h"
#include "ops/operator.h"

enum { WRITTEN_IR = 8 };

/* Messages borrow the model's strings, which packing does not change. */
typedef struct {
    const AeModel *model;
    GPtrArray *owned; /* memory of the messages */
    GPtrArray *data;  /* of the tensors */
    GError **error;   /* there was no memory for all of them */
} Writer;

static void *take(const Writer *writer, size_t size)
{
    void *memory = g_malloc0(MAX(size, 1));

    g_ptr_array_add(writer->owned, memory);
    return memory;
}

static Onnx__TensorProto *write_tensor(const Writer *writer, const char *name,
                                       const AeTensor *tensor)
{
    Onnx__TensorProto *proto = take(writer, sizeof *proto);

    if (*writer->error == NULL &&
        ae_onnx_tensor_write(proto, name, tensor, writer->error))
        g_ptr_array_add(writer->data, proto->raw_data.data);
    return proto;
}

static Onnx__TensorShapeProtoDimension *write_dim(const Writer *writer,
                                                  const AeValue *value, int i)
{
    Onnx__TensorShapeProtoDimension *dim = take(writer, sizeof *dim);

    onnx__tensor_shape_proto_dimension__init(dim);
    if (value->shape.dim[i] != AE_UNKNOWN) {
        dim->has_dim_value = TRUE;
        dim->dim_value = value->shape.dim[i];
    } else if (value->dim_names != NULL) {
        dim->dim_param = value->dim_names[i];
    }
    return dim;
}

static Onnx__TensorShapeProto *write_shape(const Writer *writer,
                                           const AeValue *value)
{
    Onnx__TensorShapeProto *shape = take(writer, sizeof *shape);

    onnx__tensor_shape_proto__init(shape);
    shape->n_dim = value->shape.rank;
    shape->dim = take(writer, sizeof *shape->dim * shape->n_dim);
    for (int i = 0; i < value->shape.rank; i++)
        shape->dim[i] = write_dim(writer, value, i);
    return shape;
}

static Onnx__ValueInfoProto *write_info(const Writer *writer, int number)
{
    const AeValue *value = ae_model_value(writer->model, number);
    Onnx__ValueInfoProto *info = take(writer, sizeof *info);
    Onnx__TypeProto *type = take(writer, sizeof *type);
    Onnx__TypeProtoTensor *tensor = take(writer, sizeof *tensor);

    onnx__value_info_proto__init(info);
    onnx__type_proto__init(type);
    onnx__type_proto_tensor__init(tensor);
    info->name = value->name;
    info->type = type;
    type->tensor_type = tensor;
    tensor->has_elem_type = TRUE;
    tensor->elem_type = ae_onnx_type_written(value->integer, value->element);
    if (value->has_shape)
        tensor->shape = write_shape(writer, value);
    return info;
}

static Onnx__ValueInfoProto **write_infos(const Writer *writer,
                                          const GArray *values, size_t *n)
{
    Onnx__ValueInfoProto **infos;

    *n = values->len;
    infos = take(writer, sizeof *infos * values->len);
    for (guint i = 0; i < values->len; i++)
        infos[i] = write_info(writer, g_array_index(values, int, i));
    return infos;
}

static ProtobufCBinaryData bytes_of(char *string)
{
    return (ProtobufCBinaryData){strlen(string), (uint8_t *)string};
}

static void write_attribute_value(const Writer *writer,
                                  Onnx__AttributeProto *proto,
                                  const AeAttribute *attribute)
{
    switch (attribute->kind) {
    case AE_ATTRIBUTE_INTS:
        proto->type = attribute->list ? AE_ONNX_INTS : AE_ONNX_INT;
        proto->has_i = !attribute->list;
        proto->i = attribute->list ? 0 : attribute->ints[0];
        proto->n_ints = attribute->list ? attribute->n : 0;
        proto->ints = attribute->ints;
        break;
    case AE_ATTRIBUTE_FLOATS:
        proto->type = attribute->list ? AE_ONNX_FLOATS : AE_ONNX_FLOAT;
        proto->has_f = !attribute->list;
        proto->f = attribute->list ? 0 : attribute->floats[0];
        proto->n_floats = attribute->list ? attribute->n : 0;
        proto->floats = attribute->floats;
        break;
    case AE_ATTRIBUTE_STRING:
        proto->type = AE_ONNX_STRING;
        proto->has_s = TRUE;
        proto->s = bytes_of(attribute->string);
        break;
    case AE_ATTRIBUTE_STRINGS:
        proto->type = AE_ONNX_STRINGS;
        proto->n_strings = (size_t)attribute->n;
        proto->strings =
            take(writer, sizeof *proto->strings * (size_t)attribute->n);
        for (int i = 0; i < attribute->n; i++)
            proto->strings[i] = bytes_of(attribute->strings[i]);
        break;
    case AE_ATTRIBUTE_TENSOR:
        proto->type = AE_ONNX_TENSOR;
        proto->t = write_tensor(writer, NULL, attribute->tensor);
        break;
    }
}

static Onnx__AttributeProto *write_attribute(const Writer *writer,
                                             const AeAttribute *attribute)
{
    Onnx__AttributeProto *proto = take(writer, sizeof *proto);

    onnx__attribute_proto__init(proto);
    proto->name = attribute->name;
    proto->has_type = TRUE;
    write_attribute_value(writer, proto, attribute);
    return proto;
}

static char **write_names(const Writer *writer, const GArray *values, size_t *n)
{
    char **names = take(writer, sizeof *names * values->len);

    *n = values->len;
    for (guint i = 0; i < values->len; i++) {
        int value = g_array_index(values, int, i);

        names[i] =
            value < 0 ? (char *)"" : ae_model_value(writer->model, value)->name;
    }
    return names;
}

static Onnx__NodeProto *write_node(const Writer *writer, const AeNode *node)
{
    Onnx__NodeProto *proto = take(writer, sizeof *proto);

    onnx__node_proto__init(proto);
    proto->name = node->name;
    proto->op_type = (char *)node->op->name;
    proto->input = write_names(writer, node->inputs, &proto->n_input);
    proto->output = write_names(writer, node->outputs, &proto->n_output);
    proto->n_attribute = node->attributes->len;
    proto->attribute =
        take(writer, sizeof *proto->attribute * proto->n_attribute);
    for (size_t i = 0; i < proto->n_attribute; i++)
        proto->attribute[i] =
            write_attribute(writer, g_ptr_array_index(node->attributes, i));
    return proto;
}

/* Constants become initialisers. Other values between input and output are
 * listed if their shape is known. */
static void write_values(const Writer *writer, Onnx__GraphProto *graph)
{
    const AeModel *model = writer->model;
    g_autofree gboolean *listed = g_new0(gboolean, model->values->len + 1);

    for (guint i = 0; i < model->inputs->len; i++)
        listed[ae_model_input(model, (int)i)] = TRUE;
    for (guint i = 0; i < model->outputs->len; i++)
        listed[ae_model_output(model, (int)i)] = TRUE;
    graph->initializer =
        take(writer, sizeof *graph->initializer * model->values->len);
    graph->value_info =
        take(writer, sizeof *graph->value_info * model->values->len);
    for (guint i = 0; i < model->values->len; i++) {
        const AeValue *value = ae_model_value(model, (int)i);

        if (value->constant != NULL)
            graph->initializer[graph->n_initializer++] =
                write_tensor(writer, value->name, value->constant);
        else if (value->has_shape && !listed[i])
            graph->value_info[graph->n_value_info++] =
                write_info(writer, (int)i);
    }
}

static Onnx__GraphProto *write_graph(const Writer *writer)
{
    const AeModel *model = writer->model;
    Onnx__GraphProto *graph = take(writer, sizeof *graph);

    onnx__graph_proto__init(graph);
    graph->name = (char *)"autoencoder";
    graph->input = write_infos(writer, model->inputs, &graph->n_input);
    graph->output = write_infos(writer, model->outputs, &graph->n_output);
    write_values(writer, graph);
    graph->n_node = model->nodes->len;
    graph->node = take(writer, sizeof *graph->node * graph->n_node);
    for (size_t i = 0; i < graph->n_node; i++)
        graph->node[i] = write_node(writer, g_ptr_array_index(model->nodes, i));
    return graph;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void write_metadata(const Writer *writer, Onnx__ModelProto *file)
{
    GHashTable *metadata = writer->model->metadata;
    g_autoptr(GList) keys =
        g_list_sort(g_hash_table_get_keys(metadata), compare_names);

    file->metadata_props = take(writer, sizeof *file->metadata_props *
                                            g_hash_table_size(metadata));
    for (GList *key = keys; key != NULL; key = key->next) {
        Onnx__StringStringEntryProto *entry = take(writer, sizeof *entry);

        onnx__string_string_entry_proto__init(entry);
        entry->key = key->data;
        entry->value = g_hash_table_lookup(metadata, key->data);
        file->metadata_props[file->n_metadata_props++] = entry;
    }
}

static Onnx__ModelProto *write_model(const Writer *writer)
{
    Onnx__ModelProto *file = take(writer, sizeof *file);
    Onnx__OperatorSetIdProto *opset = take(writer, sizeof *opset);

    onnx__operator_set_id_proto__init(opset);
    opset->domain = (char *)"";
    opset->has_version = TRUE;
    opset->version = writer->model->opset;

    onnx__model_proto__init(file);
    file->has_ir_version = TRUE;
    file->ir_version = WRITTEN_IR;
    file->producer_name = (char *)"gst-autoencoder";
    file->n_opset_import = 1;
    file->opset_import = take(writer, sizeof *file->opset_import);
    file->opset_import[0] = opset;
    file->graph = write_graph(writer);
    write_metadata(writer, file);
    return file;
}

gboolean ae_onnx_save(const AeModel *model, const char *path, GError **error)
{
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) data = g_ptr_array_new_with_free_func(ae_free);
    g_autoptr(GError) cause = NULL;
    Onnx__ModelProto *file = write_model(&(Writer){model, owned, data, &cause});
    size_t size = cause == NULL ? onnx__model_proto__get_packed_size(file) : 0;
    ae_autofree uint8_t *bytes = NULL;

    if (size > G_MAXINT32) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "%s: the model is larger than an ONNX file can be, 2 GiB",
                    path);
        return FALSE;
    }
    if (cause == NULL)
        bytes = ae_alloc(size, 1, &cause);
    if (bytes == NULL) {
        g_propagate_prefixed_error(error, g_steal_pointer(&cause),
                                   "%s: ", path);
        return FALSE;
    }
    onnx__model_proto__pack(file, bytes);
    return ae_file_write(path, bytes, size, error);
}
