/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads ONNX files. protobuf-c reads the wire format that onnx.proto describes;
 * this file checks the messages and builds the model. */
#include "model/onnx.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "model/build.h"
#include "model/onnx-attributes.h"
#include "model/onnx-memory.h"
#include "model/onnx-order.h"
#include "model/onnx-parse.h"
#include "model/onnx-tensor.h"
#include "onnx.pb-c.h"
#include "ops/attributes.h"

enum {
    MIN_IR = 3,
    MAX_IR = 14,
    MIN_OPSET = 6,
    MAX_OPSET = 28,
    MAX_NODES = 1 << 15, /* planning takes quadratic time */
    MAX_ATTRIBUTES = 64, /* of a node; more than any operator has */
};

typedef struct {
    AeModel *model;
    GHashTable *infos;  /* value name -> Onnx__ValueInfoProto, borrowed */
    const char *folder; /* of the file; NULL: it is in memory */
} Reader;

/* The name of a node in messages. */
typedef struct {
    const char *name, *op;
} Label;

static const char *text(const char *string)
{
    return string ? string : "";
}

static gboolean is_default_domain(const char *domain)
{
    return *text(domain) == '\0' || strcmp(domain, "ai.onnx") == 0;
}

G_GNUC_PRINTF(4, 5)
static gboolean fail_node(GError **error, Label label, AeError code,
                          const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, AE_ERROR, code, "node '%s' (%s): %s", label.name,
                label.op, message);
    return FALSE;
}

static gboolean find_opset(const Onnx__ModelProto *file, int *opset,
                           GError **error)
{
    for (size_t i = 0; i < file->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *import = file->opset_import[i];

        if (!is_default_domain(import->domain))
            continue;
        if (import->version < MIN_OPSET || import->version > MAX_OPSET) {
            g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                        "opset %" G_GINT64_FORMAT
                        " is not supported, only %d to %d are",
                        import->version, MIN_OPSET, MAX_OPSET);
            return FALSE;
        }
        *opset = (int)import->version;
        return TRUE;
    }
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "it does not say which opset of ONNX it uses");
    return FALSE;
}

static gboolean check_file(const Onnx__ModelProto *file, GError **error)
{
    if (!file->has_ir_version || file->graph == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "it is no ONNX model: it has no %s",
                    file->has_ir_version ? "graph" : "IR version");
        return FALSE;
    }
    if (file->ir_version < MIN_IR || file->ir_version > MAX_IR) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "IR version %" G_GINT64_FORMAT
                    " is not supported, only %d to %d are",
                    file->ir_version, MIN_IR, MAX_IR);
        return FALSE;
    }
    if (file->n_functions > 0 || file->graph->n_sparse_initializer > 0) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "it contains %s, which are not supported",
                    file->n_functions > 0 ? "functions" : "sparse tensors");
        return FALSE;
    }
    if (file->graph->n_node > MAX_NODES) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "it has %" G_GSIZE_FORMAT " nodes, supported are %d",
                    file->graph->n_node, MAX_NODES);
        return FALSE;
    }
    return TRUE;
}

static void collect_infos(GHashTable *infos, Onnx__ValueInfoProto **list,
                          size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i]->name != NULL)
            g_hash_table_insert(infos, list[i]->name, list[i]);
}

static gboolean check_type(const Onnx__TypeProto *type, AeValue *value,
                           GError **error)
{
    g_autofree char *name = NULL;

    if (type->tensor_type == NULL) {
        gboolean other = type->has_sequence_type || type->has_map_type ||
                         type->has_sparse_tensor_type ||
                         type->has_optional_type;

        if (other)
            g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                        "it is not a dense tensor, which is all that is "
                        "supported");
        return !other;
    }
    if (type->tensor_type->elem_type == 0 ||
        ae_onnx_type_read(type->tensor_type->elem_type, &value->integer,
                          &value->element))
        return TRUE;
    name = ae_onnx_type_name(type->tensor_type->elem_type);
    g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                "its elements are of %s, which is not supported", name);
    return FALSE;
}

static gboolean read_dims(const Onnx__TensorShapeProto *proto, AeValue *value,
                          GError **error)
{
    if (proto->n_dim > AE_MAX_RANK) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "its rank is %" G_GSIZE_FORMAT
                    ", but at most %d is supported",
                    proto->n_dim, AE_MAX_RANK);
        return FALSE;
    }
    value->has_shape = TRUE;
    value->shape.rank = (int)proto->n_dim;
    for (size_t i = 0; i < proto->n_dim; i++) {
        const Onnx__TensorShapeProtoDimension *dim = proto->dim[i];
        gboolean known = dim->has_dim_value && dim->dim_value >= 0;

        value->shape.dim[i] = known ? dim->dim_value : AE_UNKNOWN;
        if (known || *text(dim->dim_param) == '\0')
            continue;
        if (value->dim_names == NULL)
            value->dim_names = g_new0(char *, proto->n_dim + 1);
        value->dim_names[i] = g_strdup(dim->dim_param);
    }
    return TRUE;
}

/* Sets type and shape of @value, as far as the file declares them. */
static gboolean describe_value(const Reader *reader, int number, GError **error)
{
    AeValue *value = ae_model_value(reader->model, number);
    const Onnx__ValueInfoProto *info =
        g_hash_table_lookup(reader->infos, value->name);

    if (info == NULL || info->type == NULL)
        return TRUE;
    if (!check_type(info->type, value, error) ||
        (info->type->tensor_type != NULL &&
         info->type->tensor_type->shape != NULL &&
         !read_dims(info->type->tensor_type->shape, value, error))) {
        g_prefix_error(error, "value '%s': ", value->name);
        return FALSE;
    }
    return TRUE;
}

static gboolean read_constants(const Reader *reader,
                               const Onnx__GraphProto *graph, GError **error)
{
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const Onnx__TensorProto *proto = graph->initializer[i];
        AeTensor *tensor = ae_onnx_tensor_read(proto, reader->folder, error);

        if (tensor == NULL ||
            ae_model_add_constant(reader->model, text(proto->name), tensor,
                                  !tensor->integer, error) < 0)
            return FALSE;
    }
    return TRUE;
}

/* An initialiser that is also an input is the input's default. Since nothing
 * here overrides defaults, each initialiser is a constant. */
static gboolean read_inputs(const Reader *reader, const Onnx__GraphProto *graph,
                            GError **error)
{
    for (size_t i = 0; i < graph->n_input; i++) {
        const char *name = text(graph->input[i]->name);
        int value = ae_model_find(reader->model, name);

        if (value >= 0 && ae_model_value(reader->model, value)->constant)
            continue;
        value = ae_model_add_input(reader->model, name, NULL, error);
        if (value < 0 || !describe_value(reader, value, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean set_tensor(const Reader *reader, AeNode *node, Label label,
                           const Onnx__AttributeProto *proto, GError **error)
{
    AeTensor *tensor = ae_onnx_tensor_read(proto->t, reader->folder, error);

    if (tensor == NULL) {
        g_prefix_error(error, "node '%s' (%s): attribute '%s': ", label.name,
                       label.op, proto->name);
        return FALSE;
    }
    ae_node_set_tensor(node, proto->name, tensor);
    return TRUE;
}

static char *get_string(const ProtobufCBinaryData *bytes)
{
    return g_strndup(bytes->len > 0 ? (char *)bytes->data : "", bytes->len);
}

static void set_strings(AeNode *node, const Onnx__AttributeProto *proto)
{
    g_auto(GStrv) strings = g_new0(char *, proto->n_strings + 1);

    for (size_t i = 0; i < proto->n_strings; i++)
        strings[i] = get_string(&proto->strings[i]);
    ae_node_set_strings(node, proto->name, (const char *const *)strings);
}

static gboolean set_attribute(const Reader *reader, AeNode *node, Label label,
                              const Onnx__AttributeProto *proto, GError **error)
{
    g_autofree char *string = NULL;

    switch (proto->type) {
    case AE_ONNX_FLOAT:
        ae_node_set_float(node, proto->name, proto->f);
        return TRUE;
    case AE_ONNX_INT:
        ae_node_set_int(node, proto->name, proto->i);
        return TRUE;
    case AE_ONNX_FLOATS:
        ae_node_set_floats(node, proto->name, proto->floats,
                           (int)proto->n_floats);
        return TRUE;
    case AE_ONNX_INTS:
        ae_node_set_ints(node, proto->name, proto->ints, (int)proto->n_ints);
        return TRUE;
    case AE_ONNX_STRING:
        string = get_string(&proto->s);
        ae_node_set_string(node, proto->name, string);
        return TRUE;
    case AE_ONNX_STRINGS:
        set_strings(node, proto);
        return TRUE;
    case AE_ONNX_TENSOR:
        if (proto->t == NULL)
            break;
        return set_tensor(reader, node, label, proto, error);
    case AE_ONNX_GRAPH:
    case AE_ONNX_GRAPHS:
        return fail_node(error, label, AE_ERROR_UNSUPPORTED,
                         "attribute '%s' is a sub-graph, which is not "
                         "supported",
                         proto->name);
    }
    return fail_node(error, label, AE_ERROR_UNSUPPORTED,
                     "attribute '%s' is of kind %d, which is not supported",
                     proto->name, proto->type);
}

static gboolean read_attributes(const Reader *reader, AeNode *node, Label label,
                                const Onnx__NodeProto *proto, GError **error)
{
    if (proto->n_attribute > MAX_ATTRIBUTES)
        return fail_node(error, label, AE_ERROR_FORMAT,
                         "has %" G_GSIZE_FORMAT
                         " attributes, expected at most %d",
                         proto->n_attribute, MAX_ATTRIBUTES);
    for (size_t i = 0; i < proto->n_attribute; i++) {
        const Onnx__AttributeProto *attribute = proto->attribute[i];

        if (*text(attribute->name) == '\0')
            return fail_node(error, label, AE_ERROR_FORMAT,
                             "an attribute has no name");
        if (attribute->ref_attr_name != NULL)
            return fail_node(error, label, AE_ERROR_UNSUPPORTED,
                             "attribute '%s' refers to one of a function, "
                             "which is not supported",
                             attribute->name);
        if (!ae_onnx_attribute_known(label.op, attribute->name,
                                     reader->model->opset))
            return fail_node(error, label, AE_ERROR_UNSUPPORTED,
                             "the operator has no attribute '%s' in opset %d",
                             attribute->name, reader->model->opset);
        for (size_t j = 0; j < i; j++)
            if (strcmp(proto->attribute[j]->name, attribute->name) == 0)
                return fail_node(error, label, AE_ERROR_FORMAT,
                                 "attribute '%s' stands there twice",
                                 attribute->name);
        if (!set_attribute(reader, node, label, attribute, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean find_operands(const Reader *reader, Label label,
                              const Onnx__NodeProto *proto, int *inputs,
                              GError **error)
{
    for (size_t i = 0; i < proto->n_input; i++) {
        const char *name = proto->input[i];

        inputs[i] = ae_model_find(reader->model, name);
        if (inputs[i] < 0 && *name != '\0')
            return fail_node(error, label, AE_ERROR_FORMAT,
                             "reads '%s', which is no input, no constant and "
                             "made by no node",
                             name);
    }
    return TRUE;
}

static gboolean add_results(const Reader *reader, Label label,
                            const Onnx__NodeProto *proto, int *outputs,
                            GError **error)
{
    for (size_t i = 0; i < proto->n_output; i++) {
        const char *name = proto->output[i];

        outputs[i] = -1;
        if (*name == '\0')
            continue;
        outputs[i] = ae_model_add_value(reader->model, name, NULL, error);
        if (outputs[i] < 0 || !describe_value(reader, outputs[i], error)) {
            g_prefix_error(error, "node '%s' (%s): ", label.name, label.op);
            return FALSE;
        }
    }
    return TRUE;
}

static Label label_of(const Onnx__NodeProto *proto)
{
    Label label = {text(proto->name), text(proto->op_type)};

    if (*label.name == '\0' && proto->n_output > 0)
        label.name = proto->output[0];
    return label;
}

static gboolean read_node(const Reader *reader, const Onnx__NodeProto *proto,
                          GError **error)
{
    Label label = label_of(proto);
    g_autofree int *inputs = g_new(int, proto->n_input + 1);
    g_autofree int *outputs = g_new(int, proto->n_output + 1);
    AeNode *node;

    if (!is_default_domain(proto->domain))
        return fail_node(error, label, AE_ERROR_UNSUPPORTED,
                         "is of the domain '%s', but only operators of ONNX "
                         "itself are supported",
                         proto->domain);
    if (!find_operands(reader, label, proto, inputs, error) ||
        !add_results(reader, label, proto, outputs, error))
        return FALSE;
    node = ae_model_add_node(reader->model, label.op, label.name, inputs,
                             (int)proto->n_input, outputs, (int)proto->n_output,
                             error);
    return node != NULL && read_attributes(reader, node, label, proto, error);
}

static gboolean is_output(const AeModel *model, int value)
{
    for (guint i = 0; i < model->outputs->len; i++)
        if (ae_model_output(model, (int)i) == value)
            return TRUE;
    return FALSE;
}

/* An output that is listed twice is one. */
static gboolean read_outputs(const Reader *reader,
                             const Onnx__GraphProto *graph, GError **error)
{
    for (size_t i = 0; i < graph->n_output; i++) {
        const char *name = text(graph->output[i]->name);
        int value = ae_model_find(reader->model, name);

        if (value < 0) {
            g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                        "the output '%s' is made by no node", name);
            return FALSE;
        }
        if (is_output(reader->model, value))
            continue;
        ae_model_add_output(reader->model, value);
    }
    if (graph->n_output > 0)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT, "the graph has no output");
    return FALSE;
}

static gboolean read_graph(const Reader *reader, const Onnx__GraphProto *graph,
                           GError **error)
{
    g_autofree int *order = NULL;

    collect_infos(reader->infos, graph->value_info, graph->n_value_info);
    collect_infos(reader->infos, graph->output, graph->n_output);
    collect_infos(reader->infos, graph->input, graph->n_input);
    if (!read_constants(reader, graph, error) ||
        !read_inputs(reader, graph, error))
        return FALSE;
    order = ae_onnx_order(graph, error);
    if (order == NULL)
        return FALSE;
    for (size_t i = 0; i < graph->n_node; i++)
        if (!read_node(reader, graph->node[order[i]], error))
            return FALSE;
    return read_outputs(reader, graph, error);
}

static AeModel *read_model(const Onnx__ModelProto *file, const char *folder,
                           GError **error)
{
    g_autoptr(GHashTable) infos = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(AeModel) model = NULL;
    int opset;

    if (!check_file(file, error) || !find_opset(file, &opset, error))
        return NULL;
    model = ae_model_new(opset);
    if (!read_graph(&(Reader){model, infos, folder}, file->graph, error))
        return NULL;
    for (size_t i = 0; i < file->n_metadata_props; i++)
        ae_model_set(model, text(file->metadata_props[i]->key),
                     text(file->metadata_props[i]->value));
    return g_steal_pointer(&model);
}

AeModel *ae_onnx_parse(const void *data, size_t size, const char *name,
                       const char *folder, GError **error)
{
    AeOnnxMemory memory;
    Onnx__ModelProto *file;
    AeModel *model = NULL;

    ae_onnx_memory_init(&memory, size);
    file = onnx__model_proto__unpack(&memory.allocator, size, data);
    if (file != NULL)
        model = read_model(file, folder, error);
    else if (memory.error != NULL)
        g_propagate_error(error, g_steal_pointer(&memory.error));
    else
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "it is damaged, truncated or no ONNX model");
    ae_onnx_memory_clear(&memory);
    if (model == NULL)
        g_prefix_error(error, "%s: ", name);
    return model;
}

AeModel *ae_onnx_load(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = ae_file_read(path, error);
    g_autofree char *folder = g_path_get_dirname(path);

    if (bytes == NULL)
        return NULL;
    return ae_onnx_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                         path, folder, error);
}
