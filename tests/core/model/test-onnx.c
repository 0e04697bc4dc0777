/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ONNX files: a model comes back as it was saved, every way to store a tensor
 * is read, and what is damaged or not supported is refused with a sentence
 * that names file and place. Files are taken apart and put together again with
 * the generated protobuf code. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "ae.h"
#include "onnx.pb-c.h"
#include "ops/ops.h"
#include "model/onnx-parse.h"
#include "model/build.h"
#include "base/file.h"

static char *folder;

static AeTensor *ramp(AeShape shape)
{
    AeTensor *tensor = ae_tensor_new(&shape, NULL);
    int64_t count = ae_shape_elements(&shape);

    for (int64_t i = 0; i < count; i++)
        tensor->data[i] = (float)i / 7 - 3;
    return tensor;
}

static AeTensor *whole_numbers(int n, const float *values)
{
    AeShape shape = ae_shape(1, n);
    AeTensor *tensor = ae_tensor_new(&shape, NULL);

    tensor->integer = TRUE;
    memcpy(tensor->data, values, sizeof *values * n);
    return tensor;
}

/* x -> Conv -> Relu -> Reshape -> y, and beside it nodes with every other kind
 * of attribute. */
static AeModel *example(void)
{
    static const float target[] = {0, -1, 0x1p63f, -0x1p63f};
    AeShape shape = {4, {AE_UNKNOWN, 2, AE_UNKNOWN, 5}};
    AeModel *model = ae_model_new(17);
    int x = ae_model_add_input(model, "x", &shape, NULL);
    int w = ae_model_add_constant(model, "w", ramp(ae_shape(4, 3, 2, 3, 3)),
                                  TRUE, NULL);
    int s = ae_model_add_constant(model, "s", whole_numbers(4, target), FALSE,
                                  NULL);
    int a = ae_model_add_value(model, "a", NULL, NULL);
    int b = ae_model_add_value(model, "b", &shape, NULL);
    int c = ae_model_add_value(model, "c", NULL, NULL);
    int d = ae_model_add_value(model, "d", NULL, NULL);
    int y = ae_model_add_value(model, "y", &shape, NULL);
    AeNode *node = ae_model_add_node(model, "Conv", "conv1", (int[]){x, w, -1},
                                     3, &a, 1, NULL);

    ae_node_set_ints(node, "pads", (int64_t[]){1, 1, 1, 1}, 4);
    ae_node_set_ints(node, "strides", (int64_t[]){7}, 1);
    ae_node_set_ints(node, "dilations", NULL, 0);
    ae_node_set_int(node, "group", -1);
    ae_node_set_string(node, "auto_pad", "NOTSET");
    ae_model_add_node(model, "Relu", "relu1", &a, 1, &b, 1, NULL);
    ae_model_add_node(model, "Reshape", "", (int[]){b, s}, 2, &y, 1, NULL);
    node = ae_model_add_node(model, "LSTM", "lstm1", (int[]){x, w, w}, 3, &c, 1,
                             NULL);
    ae_node_set_float(node, "clip", 0.25f);
    ae_node_set_floats(node, "activation_beta", (float[]){1, 2.5f}, 2);
    ae_node_set_strings(node, "activations",
                        (const char *[]){"a", "", "b", NULL});
    node =
        ae_model_add_node(model, "Constant", "constant1", NULL, 0, &d, 1, NULL);
    ae_node_set_tensor(node, "value", ramp(ae_shape(3, 2, 2, 2)));
    ae_model_add_output(model, y);
    ae_model_value(model, x)->dim_names = g_new0(char *, 5);
    ae_model_value(model, x)->dim_names[0] = g_strdup("N");
    ae_model_set(model, "ae.task", "denoise");
    ae_model_set(model, "ae.colour", "gray");
    return model;
}

static GBytes *saved(const AeModel *model, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    GBytes *bytes;

    ae_onnx_save(model, path, &error);
    g_assert_no_error(error);
    bytes = ae_file_read(path, &error);
    g_assert_no_error(error);
    g_unlink(path);
    return bytes;
}

static AeModel *parsed(GBytes *bytes)
{
    g_autoptr(GError) error = NULL;
    AeModel *model =
        ae_onnx_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                      "memory", NULL, &error);

    g_assert_no_error(error);
    return model;
}

static void assert_same_tensor(const AeTensor *a, const AeTensor *b)
{
    g_assert_cmpint(a != NULL, ==, b != NULL);
    if (a == NULL)
        return;
    g_assert_true(ae_shape_equal(&a->shape, &b->shape));
    g_assert_cmpint(a->integer, ==, b->integer);
    g_assert_cmpmem(a->data, 4 * ae_shape_elements(&a->shape), b->data,
                    4 * ae_shape_elements(&b->shape));
}

static void assert_same_value(const AeValue *a, const AeModel *other)
{
    const AeValue *b = ae_model_value(other, ae_model_find(other, a->name));

    g_assert_cmpint(a->has_shape, ==, b->has_shape);
    g_assert_cmpint(a->trainable, ==, b->trainable);
    g_assert_true(ae_shape_equal(&a->shape, &b->shape));
    for (int i = 0; i < a->shape.rank; i++)
        g_assert_cmpstr(a->dim_names ? a->dim_names[i] : NULL, ==,
                        b->dim_names ? b->dim_names[i] : NULL);
    assert_same_tensor(a->constant, b->constant);
}

static void assert_same_attribute(const AeAttribute *a, const AeAttribute *b)
{
    g_assert_cmpstr(a->name, ==, b->name);
    g_assert_cmpint(a->kind, ==, b->kind);
    g_assert_cmpint(a->list, ==, b->list);
    g_assert_cmpint(a->n, ==, b->n);
    g_assert_cmpstr(a->string, ==, b->string);
    if (a->kind == AE_ATTRIBUTE_STRINGS)
        g_assert_cmpstrv(a->strings, b->strings);
    if (a->kind == AE_ATTRIBUTE_INTS)
        g_assert_cmpmem(a->ints, 8 * a->n, b->ints, 8 * b->n);
    if (a->kind == AE_ATTRIBUTE_FLOATS)
        g_assert_cmpmem(a->floats, 4 * a->n, b->floats, 4 * b->n);
    assert_same_tensor(a->tensor, b->tensor);
}

static void assert_same_operands(const AeModel *m, const GArray *a,
                                 const AeModel *n, const GArray *b)
{
    g_assert_cmpint(a->len, ==, b->len);
    for (guint i = 0; i < a->len; i++) {
        int left = g_array_index(a, int, i), right = g_array_index(b, int, i);

        g_assert_cmpint(left < 0, ==, right < 0);
        if (left >= 0)
            g_assert_cmpstr(ae_model_value(m, left)->name, ==,
                            ae_model_value(n, right)->name);
    }
}

static void assert_same_node(const AeModel *m, const AeNode *a,
                             const AeModel *n, const AeNode *b)
{
    g_assert_true(a->op == b->op);
    if (*a->name != '\0')
        g_assert_cmpstr(a->name, ==, b->name);
    assert_same_operands(m, a->inputs, n, b->inputs);
    assert_same_operands(m, a->outputs, n, b->outputs);
    g_assert_cmpint(a->attributes->len, ==, b->attributes->len);
    for (guint i = 0; i < a->attributes->len; i++)
        assert_same_attribute(g_ptr_array_index(a->attributes, i),
                              g_ptr_array_index(b->attributes, i));
}

static void test_round_trip(void)
{
    g_autoptr(AeModel) model = example();
    g_autoptr(GBytes) bytes = saved(model, "a.onnx");
    g_autoptr(AeModel) back = parsed(bytes);
    g_autoptr(GBytes) again = saved(back, "b.onnx");
    g_autoptr(AeModel) last = parsed(again);
    g_autoptr(GBytes) third = saved(last, "c.onnx");

    g_assert_cmpint(back->opset, ==, 17);
    g_assert_cmpint(back->values->len, ==, model->values->len);
    for (guint i = 0; i < model->values->len; i++)
        assert_same_value(ae_model_value(model, i), back);
    g_assert_cmpint(back->nodes->len, ==, model->nodes->len);
    for (guint i = 0; i < model->nodes->len; i++)
        assert_same_node(model, g_ptr_array_index(model->nodes, i), back,
                         g_ptr_array_index(back->nodes, i));
    assert_same_operands(model, model->inputs, back, back->inputs);
    assert_same_operands(model, model->outputs, back, back->outputs);
    g_assert_cmpint(g_hash_table_size(back->metadata), ==, 2);
    g_assert_cmpstr(ae_model_get(back, "ae.task"), ==, "denoise");
    g_assert_true(g_bytes_equal(again, third));
}

static Onnx__ModelProto *unpack(GBytes *bytes)
{
    Onnx__ModelProto *file = onnx__model_proto__unpack(
        NULL, g_bytes_get_size(bytes), g_bytes_get_data(bytes, NULL));

    g_assert_nonnull(file);
    return file;
}

static void set(char **target, const char *string)
{
    free(*target);
    *target = strdup(string);
}

/* Each makes one change to the file of example(). */

static void no_version(Onnx__ModelProto *file)
{
    file->has_ir_version = FALSE;
}

static void old_version(Onnx__ModelProto *file)
{
    file->ir_version = 2;
}

static void opset_5(Onnx__ModelProto *file)
{
    file->opset_import[0]->version = 5;
}

static void opset_29(Onnx__ModelProto *file)
{
    file->opset_import[0]->version = 29;
}

static void other_attribute(Onnx__ModelProto *file)
{
    set(&file->graph->node[0]->attribute[0]->name, "alpha");
}

static void no_opset(Onnx__ModelProto *file)
{
    set(&file->opset_import[0]->domain, "com.example");
}

static void other_domain(Onnx__ModelProto *file)
{
    set(&file->graph->node[1]->domain, "com.example");
}

static void unknown_operator(Onnx__ModelProto *file)
{
    set(&file->graph->node[1]->op_type, "Frobnicate");
}

static void cycle(Onnx__ModelProto *file)
{
    set(&file->graph->node[0]->input[0], "y");
}

static void nowhere(Onnx__ModelProto *file)
{
    set(&file->graph->node[0]->input[0], "z");
}

static void made_twice(Onnx__ModelProto *file)
{
    set(&file->graph->node[1]->output[0], "a");
}

static void no_result(Onnx__ModelProto *file)
{
    set(&file->graph->node[1]->output[0], "");
}

static void gap(Onnx__ModelProto *file)
{
    set(&file->graph->node[2]->op_type, "Concat");
    set(&file->graph->node[2]->input[1], "");
}

static void constant_twice(Onnx__ModelProto *file)
{
    set(&file->graph->initializer[1]->name, "w");
}

static void input_made(Onnx__ModelProto *file)
{
    set(&file->graph->node[1]->output[0], "x");
}

static void nameless_constant(Onnx__ModelProto *file)
{
    set(&file->graph->initializer[0]->name, "");
}

static void output_missing(Onnx__ModelProto *file)
{
    set(&file->graph->output[0]->name, "nothing");
}

static void external_data(Onnx__ModelProto *file)
{
    file->graph->initializer[0]->has_data_location = TRUE;
    file->graph->initializer[0]->data_location = 1;
}

static void add_entry(Onnx__TensorProto *tensor, const char *key,
                      const char *value)
{
    Onnx__StringStringEntryProto *entry = malloc(sizeof *entry);

    onnx__string_string_entry_proto__init(entry);
    entry->key = strdup(key);
    entry->value = strdup(value);
    tensor->external_data = realloc(
        tensor->external_data, (tensor->n_external_data + 1) * sizeof(void *));
    tensor->external_data[tensor->n_external_data++] = entry;
}

static void external_file(Onnx__ModelProto *file)
{
    external_data(file);
    add_entry(file->graph->initializer[0], "location", "weights");
}

static void string_tensor(Onnx__ModelProto *file)
{
    file->graph->initializer[0]->data_type = 8;
}

static void strange_type(Onnx__ModelProto *file)
{
    file->graph->initializer[0]->data_type = 99;
}

static void short_tensor(Onnx__ModelProto *file)
{
    file->graph->initializer[0]->raw_data.len -= 1;
}

static void negative_dim(Onnx__ModelProto *file)
{
    file->graph->initializer[0]->dims[0] = -3;
}

static void huge_dims(Onnx__ModelProto *file)
{
    file->graph->initializer[0]->dims[0] = INT64_C(1) << 40;
    file->graph->initializer[0]->dims[1] = INT64_C(1) << 40;
}

static void huge_dims_and_none(Onnx__ModelProto *file)
{
    huge_dims(file);
    file->graph->initializer[0]->dims[2] = 0;
    file->graph->initializer[0]->raw_data.len = 0;
}

static void large_dims(Onnx__ModelProto *file)
{
    file->graph->initializer[0]->dims[0] = 1000000000;
}

static void rank_9(Onnx__ModelProto *file)
{
    Onnx__TensorProto *tensor = file->graph->initializer[0];

    tensor->dims = realloc(tensor->dims, 9 * sizeof *tensor->dims);
    for (size_t i = tensor->n_dims; i < 9; i++)
        tensor->dims[i] = 1;
    tensor->n_dims = 9;
}

static void string_input(Onnx__ModelProto *file)
{
    file->graph->input[0]->type->tensor_type->elem_type = 8;
}

static void sub_graph(Onnx__ModelProto *file)
{
    file->graph->node[0]->attribute[0]->type = 5;
}

static void list_of_tensors(Onnx__ModelProto *file)
{
    file->graph->node[0]->attribute[0]->type = 9;
}

static void reference(Onnx__ModelProto *file)
{
    set(&file->graph->node[0]->attribute[0]->ref_attr_name, "pads");
}

static void attribute_twice(Onnx__ModelProto *file)
{
    set(&file->graph->node[0]->attribute[1]->name, "pads");
}

static void bad_attribute_tensor(Onnx__ModelProto *file)
{
    file->graph->node[4]->attribute[0]->t->dims[0] = 3;
}

static void add_bytes(size_t *n, ProtobufCBinaryData **list)
{
    *n = 1;
    *list = calloc(1, sizeof **list);
}

static void functions(Onnx__ModelProto *file)
{
    add_bytes(&file->n_functions, &file->functions);
}

static void sparse(Onnx__ModelProto *file)
{
    add_bytes(&file->graph->n_sparse_initializer,
              &file->graph->sparse_initializer);
}

static void sequence(Onnx__ModelProto *file)
{
    Onnx__TypeProto *type = file->graph->input[0]->type;

    onnx__type_proto_tensor__free_unpacked(type->tensor_type, NULL);
    type->tensor_type = NULL;
    type->has_sequence_type = TRUE;
}

static const struct {
    void (*change)(Onnx__ModelProto *file);
    int code;
    const char *message, *place;
} refused[] = {
    {no_version, AE_ERROR_FORMAT, "no IR version", ""},
    {old_version, AE_ERROR_UNSUPPORTED, "IR version 2", ""},
    {opset_5, AE_ERROR_UNSUPPORTED, "opset 5", "6 to 28"},
    {opset_29, AE_ERROR_UNSUPPORTED, "opset 29", "6 to 28"},
    {no_opset, AE_ERROR_FORMAT, "which opset", ""},
    {other_attribute, AE_ERROR_UNSUPPORTED, "'alpha' in opset 17", "(Conv)"},
    {other_domain, AE_ERROR_UNSUPPORTED, "com.example", "'relu1' (Relu)"},
    {unknown_operator, AE_ERROR_UNSUPPORTED, "Frobnicate", "'relu1'"},
    {cycle, AE_ERROR_FORMAT, "its own output 'a'", "'conv1' (Conv)"},
    {nowhere, AE_ERROR_FORMAT, "reads 'z'", "'conv1' (Conv)"},
    {made_twice, AE_ERROR_FORMAT, "'a'", "'relu1' (Relu)"},
    {no_result, AE_ERROR_FORMAT, "first output", "(Relu)"},
    {gap, AE_ERROR_FORMAT, "input 1 is missing", "(Concat)"},
    {constant_twice, AE_ERROR_FORMAT, "'w'", "twice"},
    {input_made, AE_ERROR_FORMAT, "'x'", "'relu1' (Relu)"},
    {nameless_constant, AE_ERROR_FORMAT, "empty", ""},
    {output_missing, AE_ERROR_FORMAT, "'nothing'", ""},
    {external_data, AE_ERROR_FORMAT, "location is missing", "'w'"},
    {external_file, AE_ERROR_UNSUPPORTED, "'weights'", "'w'"},
    {string_tensor, AE_ERROR_UNSUPPORTED, "string", "'w'"},
    {strange_type, AE_ERROR_UNSUPPORTED, "type 99", "'w'"},
    {short_tensor, AE_ERROR_FORMAT, "216 bytes", "'w'"},
    {negative_dim, AE_ERROR_FORMAT, "-3x2x3x3", "'w'"},
    {huge_dims, AE_ERROR_FORMAT, "1099511627776", "'w'"},
    {huge_dims_and_none, AE_ERROR_FORMAT, "impossible", "'w'"},
    {large_dims, AE_ERROR_FORMAT, "72000000000 bytes", "'w'"},
    {rank_9, AE_ERROR_UNSUPPORTED, "rank is 9", "'w'"},
    {string_input, AE_ERROR_UNSUPPORTED, "string", "'x'"},
    {sub_graph, AE_ERROR_UNSUPPORTED, "sub-graph", "'conv1' (Conv)"},
    {list_of_tensors, AE_ERROR_UNSUPPORTED, "kind 9", "'pads'"},
    {reference, AE_ERROR_UNSUPPORTED, "function", "'pads'"},
    {attribute_twice, AE_ERROR_FORMAT, "twice", "'pads'"},
    {bad_attribute_tensor, AE_ERROR_FORMAT, "48 bytes", "'constant1'"},
    {functions, AE_ERROR_UNSUPPORTED, "functions", ""},
    {sparse, AE_ERROR_UNSUPPORTED, "sparse", ""},
    {sequence, AE_ERROR_UNSUPPORTED, "dense tensor", "'x'"},
};

static void assert_refused(const void *data, size_t size, int code,
                           const char *message, const char *place)
{
    g_autoptr(GError) error = NULL;
    AeModel *model = ae_onnx_parse(data, size, "some/file.onnx", NULL, &error);

    g_assert_null(model);
    g_assert_error(error, AE_ERROR, code);
    g_test_message("%.160s", error->message);
    g_assert_true(g_str_has_prefix(error->message, "some/file.onnx: "));
    g_assert_nonnull(strstr(error->message, message));
    g_assert_nonnull(strstr(error->message, place));
}

static void test_refused(void)
{
    g_autoptr(AeModel) model = example();
    g_autoptr(GBytes) bytes = saved(model, "base.onnx");

    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        Onnx__ModelProto *file = unpack(bytes);
        g_autofree uint8_t *changed = NULL;
        size_t size;

        refused[i].change(file);
        size = onnx__model_proto__get_packed_size(file);
        changed = g_malloc(size);
        onnx__model_proto__pack(file, changed);
        onnx__model_proto__free_unpacked(file, NULL);
        assert_refused(changed, size, refused[i].code, refused[i].message,
                       refused[i].place);
    }
}

static void test_truncated(void)
{
    g_autoptr(AeModel) model = example();
    g_autoptr(GBytes) bytes = saved(model, "whole.onnx");

    for (int i = 0; i < 16; i++)
        assert_refused(g_bytes_get_data(bytes, NULL),
                       g_bytes_get_size(bytes) * i / 16, AE_ERROR_FORMAT, "it ",
                       "");
}

/* 2 bytes of file for each of a million nodes, which would take 150 MB. */
static void test_inflated(void)
{
    enum { NODES = 1000000 };
    g_autoptr(GByteArray) file = g_byte_array_new();
    uint8_t head[] = {0x08, 8, 0x3a, 0x80, 0x89, 0x7a}; /* length 2000000 */
    uint8_t node[] = {0x0a, 0};

    g_byte_array_append(file, head, sizeof head);
    for (int i = 0; i < NODES; i++)
        g_byte_array_append(file, node, sizeof node);
    assert_refused(file->data, file->len, AE_ERROR_FORMAT,
                   "more than 33048672 bytes", "");
}

/* The packed bytes of @file, which is freed. */
static GBytes *pack(Onnx__ModelProto *file)
{
    size_t size = onnx__model_proto__get_packed_size(file);
    uint8_t *bytes = g_malloc(size);

    onnx__model_proto__pack(file, bytes);
    onnx__model_proto__free_unpacked(file, NULL);
    return g_bytes_new_take(bytes, size);
}

static void write_bytes(GBytes *bytes, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;

    ae_file_write(path, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                  &error);
    g_assert_no_error(error);
}

static void remove_file(const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_cmpint(g_remove(path), ==, 0);
}

/* Loads @model, whose weights are taken out and written to the file "weights"
 * behind three bytes; @location, @offset and @length (NULL: left out) say where
 * the model looks for them. */
static AeModel *load_external(const AeModel *model, const char *location,
                              const char *offset, const char *length,
                              GError **error)
{
    g_autofree char *path = g_build_filename(folder, "external.onnx", NULL);
    g_autoptr(GBytes) bytes = saved(model, "base.onnx");
    Onnx__ModelProto *file = unpack(bytes);
    Onnx__TensorProto *tensor = file->graph->initializer[0];
    g_autoptr(GByteArray) weights = g_byte_array_new();
    g_autoptr(GBytes) kept = NULL, packed = NULL;
    AeModel *result;

    g_byte_array_append(weights, (const uint8_t *)"...", 3);
    g_byte_array_append(weights, tensor->raw_data.data,
                        (guint)tensor->raw_data.len);
    kept = g_byte_array_free_to_bytes(g_steal_pointer(&weights));
    write_bytes(kept, "weights");
    free(tensor->raw_data.data);
    tensor->raw_data = (ProtobufCBinaryData){0};
    tensor->has_raw_data = FALSE;
    external_data(file);
    add_entry(tensor, "location", location);
    add_entry(tensor, "offset", offset);
    if (length != NULL)
        add_entry(tensor, "length", length);
    packed = pack(file);
    write_bytes(packed, "external.onnx");
    result = ae_onnx_load(path, error);
    remove_file("external.onnx");
    remove_file("weights");
    return result;
}

static void test_external(void)
{
    static const struct {
        const char *location, *offset, *length, *message;
        int code;
    } bad[] = {
        {"../weights", "3", "216", "'../weights'", AE_ERROR_FORMAT},
        {"a/../weights", "3", "216", "in the folder", AE_ERROR_FORMAT},
        {"/etc/passwd", "3", "216", "in the folder", AE_ERROR_FORMAT},
        {"", "3", "216", "in the folder", AE_ERROR_FORMAT},
        {"link", "3", "216", "a link out", AE_ERROR_FORMAT},
        {"other", "3", "216", "put it there", AE_ERROR_FILE},
        {".", "3", "216", "a link out", AE_ERROR_FORMAT},
        {"weights", "-3", "216", "offset '-3'", AE_ERROR_FORMAT},
        {"weights", "3", "wide", "length 'wide'", AE_ERROR_FORMAT},
        {"weights", "3", "215", "has 215", AE_ERROR_FORMAT},
        {"weights", "4", "216", "216 from byte 4", AE_ERROR_FILE},
        {"weights", "9223372036854775807", NULL, "from byte", AE_ERROR_FILE},
    };
    g_autofree char *link = g_build_filename(folder, "link", NULL);
    g_autoptr(AeModel) model = example();

    g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AeModel) back =
            load_external(model, i > 0 ? "./weights" : "weights", "3",
                          i > 0 ? NULL : "216", &error);

        g_assert_no_error(error);
        assert_same_value(ae_model_value(model, ae_model_find(model, "w")),
                          back);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(load_external(model, bad[i].location, bad[i].offset,
                                    bad[i].length, &error));
        g_test_message("%s", error->message);
        g_assert_error(error, AE_ERROR, bad[i].code);
        g_assert_nonnull(strstr(error->message, bad[i].message));
        g_assert_nonnull(strstr(error->message, "tensor 'w'"));
    }
    remove_file("link");
}

static void test_missing(void)
{
    g_autofree char *path = g_build_filename(folder, "missing.onnx", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(ae_onnx_load(path, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_FILE);
    g_assert_nonnull(strstr(error->message, path));
}

/* Files before IR 4 list their weights among the inputs; integer inputs are
 * marked; names that no node uses do no harm; nodes stand in any order. */
static void test_accepted(void)
{
    g_autoptr(AeModel) model = example();
    g_autoptr(GBytes) bytes = saved(model, "base.onnx");
    g_autoptr(AeModel) back = NULL;
    g_autoptr(GBytes) changed = NULL;
    Onnx__ModelProto *file = unpack(bytes);
    Onnx__NodeProto *first;

    set(&file->graph->value_info[0]->name, "w");
    g_assert_cmpint(file->graph->n_input, ==, 1);
    file->graph->input = realloc(file->graph->input, 2 * sizeof(void *));
    file->graph->input[file->graph->n_input++] = file->graph->value_info[0];
    file->graph->n_value_info = 0;
    file->graph->input[0]->type->tensor_type->elem_type = 6;
    set(&file->opset_import[0]->domain, "ai.onnx");
    file->ir_version = 3;
    first = file->graph->node[0];
    file->graph->node[0] = file->graph->node[1];
    file->graph->node[1] = first;
    changed = pack(file);

    back = parsed(changed);
    g_assert_cmpint(back->inputs->len, ==, 1);
    g_assert_true(ae_model_value(back, ae_model_find(back, "x"))->integer);
    assert_same_value(ae_model_value(model, ae_model_find(model, "w")), back);
}

#define RAW(...) .raw = {__VA_ARGS__}, .raw_size = sizeof((char[]){__VA_ARGS__})

/* Two elements each. */
static const struct {
    int32_t type;
    gboolean integer;
    float expected[2];
    int raw_size;
    uint8_t raw[16];
    int32_t int32[2];
    int64_t int64[2];
    uint64_t uint64[2];
    double wide[2];
    float narrow[2];
} tensors[] = {
    {1, FALSE, {1, -2.5f}, RAW(0, 0, 128, 63, 0, 0, 32, 192)},
    {1, FALSE, {1, -2.5f}, .narrow = {1, -2.5f}},
    {2, TRUE, {7, 255}, RAW(7, 255)},
    {2, TRUE, {7, 255}, .int32 = {7, 255}},
    {3, TRUE, {7, -1}, RAW(7, 255)},
    {3, TRUE, {7, -1}, .int32 = {7, -1}},
    {4, TRUE, {258, 65535}, RAW(2, 1, 255, 255)},
    {5, TRUE, {258, -1}, RAW(2, 1, 255, 255)},
    {5, TRUE, {258, -1}, .int32 = {258, -1}},
    {6, TRUE, {258, -1}, RAW(2, 1, 0, 0, 255, 255, 255, 255)},
    {6, TRUE, {258, -1}, .int32 = {258, -1}},
    {7,
     TRUE,
     {258, -1},
     RAW(2, 1, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255)},
    {7, TRUE, {0x1p63f, -0x1p63f}, .int64 = {INT64_MAX, INT64_MIN}},
    {9, TRUE, {1, 1}, RAW(1, 2)},
    {10, FALSE, {1, -2}, RAW(0, 60, 0, 192)},
    {10, FALSE, {0x1p-24f, 65504}, .int32 = {1, 0x7bff}},
    {10, FALSE, {INFINITY, -INFINITY}, .int32 = {0x7c00, 0xfc00}},
    {11,
     FALSE,
     {1, -2.5f},
     RAW(0, 0, 0, 0, 0, 0, 240, 63, 0, 0, 0, 0, 0, 0, 4, 192)},
    {11, FALSE, {1, -2.5f}, .wide = {1, -2.5}},
    {12, TRUE, {1, 0x1p32f}, .uint64 = {1, UINT32_MAX}},
    {13, TRUE, {1, 0x1p64f}, .uint64 = {1, UINT64_MAX}},
    {16, FALSE, {1, -2.5f}, RAW(128, 63, 32, 192)},
};

static gboolean any(const void *memory, size_t size)
{
    const char *bytes = memory;

    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return TRUE;
    return FALSE;
}

/* The fields of case @i that are not all zeros. */
static Onnx__TensorProto stored(gsize i)
{
    Onnx__TensorProto proto = ONNX__TENSOR_PROTO__INIT;

    proto.has_data_type = TRUE;
    proto.data_type = tensors[i].type;
    proto.has_raw_data = tensors[i].raw_size > 0;
    proto.raw_data.len = tensors[i].raw_size;
    proto.raw_data.data = (uint8_t *)tensors[i].raw;
    proto.int32_data = (int32_t *)tensors[i].int32;
    proto.int64_data = (int64_t *)tensors[i].int64;
    proto.uint64_data = (uint64_t *)tensors[i].uint64;
    proto.double_data = (double *)tensors[i].wide;
    proto.float_data = (float *)tensors[i].narrow;
    proto.n_int32_data = 2 * any(tensors[i].int32, 8);
    proto.n_int64_data = 2 * any(tensors[i].int64, 16);
    proto.n_uint64_data = 2 * any(tensors[i].uint64, 16);
    proto.n_double_data = 2 * any(tensors[i].wide, 16);
    proto.n_float_data = 2 * any(tensors[i].narrow, 8);
    return proto;
}

/* Whole numbers of 8, 16 and 32 bits keep their type, others become
 * float or int64. */
static void assert_written(AeTensor *tensor, int32_t type)
{
    g_autoptr(AeModel) model = ae_model_new(17);
    int value = ae_model_add_constant(model, "t", ae_tensor_copy(tensor, NULL),
                                      FALSE, NULL);
    g_autofree char *path = g_build_filename(folder, "written.onnx", NULL);
    g_autoptr(AeModel) back = NULL;
    const AeTensor *found;

    ae_model_add_output(model, value);
    g_assert_true(ae_onnx_save(model, path, NULL));
    back = ae_onnx_load(path, NULL);
    found = ae_model_value(back, ae_model_find(back, "t"))->constant;
    g_assert_cmpint(found->element, ==, type >= 2 && type <= 6 ? type : 0);
    if (type < 7)
        for (int k = 0; k < 2; k++)
            g_assert_true(found->data[k] == tensor->data[k]);
    g_remove(path);
}

static void test_tensors(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tensors); i++) {
        Onnx__TensorProto proto = stored(i);
        g_autoptr(AeTensor) tensor = NULL;
        g_autoptr(GError) error = NULL;
        uint8_t bytes[256];
        int64_t dims[] = {2};

        g_test_message("case %" G_GSIZE_FORMAT ", type %d", i, proto.data_type);
        proto.dims = dims;
        proto.n_dims = 1;
        tensor = ae_onnx_parse_tensor(
            bytes, onnx__tensor_proto__pack(&proto, bytes), &error);
        g_assert_no_error(error);
        g_assert_cmpint(tensor->integer, ==, tensors[i].integer);
        for (int k = 0; k < 2; k++)
            g_assert_true(tensor->data[k] == tensors[i].expected[k]);
        assert_written(tensor, tensors[i].type);

        dims[0] = 3;
        g_assert_null(ae_onnx_parse_tensor(
            bytes, onnx__tensor_proto__pack(&proto, bytes), &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
    }
}

int main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("ae-onnx-XXXXXX", NULL);
    g_test_add_func("/onnx/round-trip", test_round_trip);
    g_test_add_func("/onnx/accepted", test_accepted);
    g_test_add_func("/onnx/tensors", test_tensors);
    g_test_add_func("/onnx/refused", test_refused);
    g_test_add_func("/onnx/truncated", test_truncated);
    g_test_add_func("/onnx/inflated", test_inflated);
    g_test_add_func("/onnx/external", test_external);
    g_test_add_func("/onnx/missing", test_missing);
    result = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
