/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/build.h"

#include <string.h>

#include "base/error.h"
#include "ops/operator.h"
#include "ops/attributes.h"

static void free_dim_names(AeValue *value)
{
    if (value->dim_names != NULL)
        for (int i = 0; i < value->shape.rank; i++)
            g_free(value->dim_names[i]);
    g_clear_pointer(&value->dim_names, g_free);
}

static void value_free(void *data)
{
    AeValue *value = data;

    g_free(value->name);
    free_dim_names(value);
    ae_tensor_free(value->constant);
    g_free(value);
}

AeModel *ae_model_new(int opset)
{
    AeModel *model = g_new0(AeModel, 1);

    g_atomic_ref_count_init(&model->refs);
    model->opset = opset;
    model->values = g_ptr_array_new_with_free_func(value_free);
    model->nodes = g_ptr_array_new_with_free_func((GDestroyNotify)ae_node_free);
    model->inputs = g_array_new(FALSE, FALSE, sizeof(int));
    model->outputs = g_array_new(FALSE, FALSE, sizeof(int));
    model->names = g_hash_table_new(g_str_hash, g_str_equal);
    model->metadata =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return model;
}

AeModel *ae_model_ref(AeModel *model)
{
    g_atomic_ref_count_inc(&model->refs);
    return model;
}

void ae_model_unref(AeModel *model)
{
    if (model == NULL || !g_atomic_ref_count_dec(&model->refs))
        return;
    g_hash_table_unref(model->names);
    g_hash_table_unref(model->metadata);
    g_array_unref(model->inputs);
    g_array_unref(model->outputs);
    g_ptr_array_unref(model->nodes);
    g_ptr_array_unref(model->values);
    g_free(model);
}

int ae_model_add_value(AeModel *model, const char *name, const AeShape *shape,
                       GError **error)
{
    if (*name == '\0' || g_hash_table_contains(model->names, name)) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "the value name '%s' is empty or used twice", name);
        return -1;
    }
    AeValue *value = g_new0(AeValue, 1);
    value->name = g_strdup(name);
    value->has_shape = shape != NULL;
    if (shape != NULL)
        value->shape = *shape;
    g_ptr_array_add(model->values, value);
    g_hash_table_insert(model->names, value->name,
                        GINT_TO_POINTER(model->values->len));
    return (int)model->values->len - 1;
}

int ae_model_add_input(AeModel *model, const char *name, const AeShape *shape,
                       GError **error)
{
    int value = ae_model_add_value(model, name, shape, error);

    if (value >= 0)
        g_array_append_val(model->inputs, value);
    return value;
}

int ae_model_add_constant(AeModel *model, const char *name, AeTensor *tensor,
                          gboolean trainable, GError **error)
{
    int value = ae_model_add_value(model, name, &tensor->shape, error);

    if (value < 0) {
        ae_tensor_free(tensor);
        return -1;
    }
    ae_model_value(model, value)->constant = tensor;
    ae_model_value(model, value)->trainable = trainable;
    return value;
}

void ae_model_add_output(AeModel *model, int value)
{
    g_array_append_val(model->outputs, value);
}

/* Few operators may leave out their first output. Operators that take any
 * number of inputs need each of them. */
static gboolean check_operands(const AeModel *model, const AeOperator *op,
                               const char *name, const int *inputs,
                               int n_inputs, const int *outputs, int n_outputs,
                               GError **error)
{
    int needed = op->max_in == G_MAXINT ? n_inputs : op->min_in;

    if (n_inputs < op->min_in || n_inputs > op->max_in || n_outputs < 1 ||
        n_outputs > op->max_out) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "node '%s' (%s): %d inputs and %d outputs, expected %d to "
                    "%d and 1 to %d",
                    name, op->name, n_inputs, n_outputs, op->min_in, op->max_in,
                    op->max_out);
        return FALSE;
    }
    for (int i = 0; i < n_inputs; i++)
        if (inputs[i] >= (int)model->values->len ||
            (inputs[i] < 0 && i < needed)) {
            g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                        "node '%s' (%s): input %d is missing", name, op->name,
                        i);
            return FALSE;
        }
    if (outputs[0] >= 0 || op->any_output)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "node '%s' (%s): its first output is missing", name, op->name);
    return FALSE;
}

AeNode *ae_model_add_node(AeModel *model, const char *op_name, const char *name,
                          const int *inputs, int n_inputs, const int *outputs,
                          int n_outputs, GError **error)
{
    const AeOperator *op = ae_operator_find(op_name);

    if (op == NULL) {
        g_autofree char *names = ae_operator_names();
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "node '%s': the operator %s is not supported; supported "
                    "are %s",
                    name, op_name, names);
        return NULL;
    }
    if (!check_operands(model, op, name, inputs, n_inputs, outputs, n_outputs,
                        error))
        return NULL;

    for (int i = 0; i < n_inputs && i < 32; i++)
        if (inputs[i] >= 0 && (op->settings >> i & 1))
            ae_model_value(model, inputs[i])->trainable = FALSE;
    AeNode *node = ae_node_new(op, name, inputs, n_inputs, outputs, n_outputs);
    g_ptr_array_add(model->nodes, node);
    return node;
}

gboolean ae_model_bind_input(AeModel *model, const char *name, AeTensor *tensor,
                             GError **error)
{
    int value = ae_model_find(model, name);

    for (guint i = 0; i < model->inputs->len; i++) {
        if (ae_model_input(model, (int)i) != value)
            continue;
        g_array_remove_index(model->inputs, i);
        AeValue *bound = ae_model_value(model, value);
        free_dim_names(bound);
        bound->constant = tensor;
        bound->shape = tensor->shape;
        bound->has_shape = TRUE;
        return TRUE;
    }
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "the model has no input named '%s'", name);
    ae_tensor_free(tensor);
    return FALSE;
}

AeValue *ae_model_value(const AeModel *model, int value)
{
    return g_ptr_array_index(model->values, value);
}

int ae_model_find(const AeModel *model, const char *name)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(model->names, name)) - 1;
}

int ae_model_input(const AeModel *model, int i)
{
    return g_array_index(model->inputs, int, i);
}

int ae_model_output(const AeModel *model, int i)
{
    return g_array_index(model->outputs, int, i);
}

const char *ae_model_get(const AeModel *model, const char *key)
{
    return g_hash_table_lookup(model->metadata, key);
}

void ae_model_set(AeModel *model, const char *key, const char *value)
{
    g_hash_table_insert(model->metadata, g_strdup(key), g_strdup(value));
}

int64_t ae_model_parameters(const AeModel *model)
{
    int64_t n = 0;

    for (guint i = 0; i < model->values->len; i++) {
        const AeValue *value = ae_model_value(model, (int)i);
        if (value->trainable)
            n += ae_shape_elements(&value->constant->shape);
    }
    return n;
}

int64_t ae_model_take_weights(AeModel *to, const AeModel *from)
{
    int64_t taken = 0;

    for (guint i = 0; i < to->values->len; i++) {
        const AeValue *value = ae_model_value(to, (int)i), *other;
        int found = ae_model_find(from, value->name);

        if (!value->trainable || found < 0)
            continue;
        other = ae_model_value(from, found);
        if (!other->trainable ||
            !ae_shape_equal(&other->constant->shape, &value->constant->shape))
            continue;
        int64_t n = ae_shape_elements(&value->constant->shape);
        memcpy(value->constant->data, other->constant->data,
               (gsize)n * sizeof(float));
        taken += n;
    }
    return taken;
}

/* Adds value @i of @from to @to if it is not there; returns its number in @to.
 */
static int copy_value(AeModel *to, const AeModel *from, int i, int *map)
{
    if (i < 0 || map[i] >= 0)
        return i < 0 ? -1 : map[i];
    const AeValue *old = ae_model_value(from, i);
    map[i] = ae_model_add_value(to, old->name,
                                old->has_shape ? &old->shape : NULL, NULL);
    AeValue *value = ae_model_value(to, map[i]);
    value->integer = old->integer;
    value->element = old->element;
    value->trainable = old->trainable;
    if (old->constant != NULL)
        value->constant = ae_tensor_copy(old->constant);
    if (old->dim_names != NULL) {
        value->dim_names = g_new0(char *, old->shape.rank + 1);
        for (int d = 0; d < old->shape.rank; d++)
            value->dim_names[d] = g_strdup(old->dim_names[d]);
    }
    return map[i];
}

static void copy_node(AeModel *to, const AeModel *from, const AeNode *node,
                      int *map)
{
    int n_in = (int)node->inputs->len, n_out = (int)node->outputs->len;
    g_autofree int *in = g_new(int, n_in + 1);
    g_autofree int *out = g_new(int, n_out + 1);

    for (int i = 0; i < n_in; i++)
        in[i] = copy_value(to, from, g_array_index(node->inputs, int, i), map);
    for (int i = 0; i < n_out; i++)
        out[i] =
            copy_value(to, from, g_array_index(node->outputs, int, i), map);
    ae_node_copy_attributes(ae_model_add_node(to, node->op->name, node->name,
                                              in, n_in, out, n_out, NULL),
                            node);
}

static void copy_metadata(AeModel *to, const AeModel *from)
{
    GHashTableIter iter;
    void *key, *value;

    g_hash_table_iter_init(&iter, from->metadata);
    while (g_hash_table_iter_next(&iter, &key, &value))
        ae_model_set(to, key, value);
}

static gboolean has_maker(const AeModel *model, int value)
{
    for (guint i = 0; i < model->nodes->len; i++) {
        const AeNode *node = g_ptr_array_index(model->nodes, i);
        for (guint j = 0; j < node->outputs->len; j++)
            if (g_array_index(node->outputs, int, j) == value)
                return TRUE;
    }
    return FALSE;
}

/* Marks the nodes that make @to from @from. FALSE if @to depends on another
 * input of the model. */
static gboolean mark_needed(const AeModel *model, int from, gboolean *needed,
                            gboolean *node_needed)
{
    for (int i = (int)model->nodes->len - 1; i >= 0; i--) {
        const AeNode *node = g_ptr_array_index(model->nodes, i);
        for (guint j = 0; j < node->outputs->len; j++) {
            int out = g_array_index(node->outputs, int, j);
            node_needed[i] |= out >= 0 && out != from && needed[out];
        }
        for (guint j = 0; node_needed[i] && j < node->inputs->len; j++) {
            int in = g_array_index(node->inputs, int, j);
            if (in >= 0)
                needed[in] = TRUE;
        }
    }
    for (guint i = 0; from >= 0 && i < model->inputs->len; i++) {
        int input = ae_model_input(model, (int)i);
        if (input != from && needed[input])
            return FALSE;
    }
    return TRUE;
}

static gboolean find_end(const AeModel *model, const char *name, int *value,
                         GError **error)
{
    *value = name != NULL ? ae_model_find(model, name) : -1;
    if (name == NULL ||
        (*value >= 0 && (has_maker(model, *value) ||
                         !ae_model_value(model, *value)->constant)))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "the model computes no value named '%s'", name);
    return FALSE;
}

static void add_ends(AeModel *cut, const AeModel *model, int from, int to,
                     int *map)
{
    for (guint i = 0; from < 0 && i < model->inputs->len; i++) {
        int in = copy_value(cut, model, ae_model_input(model, (int)i), map);
        g_array_append_val(cut->inputs, in);
    }
    if (from >= 0) {
        int in = copy_value(cut, model, from, map);
        g_array_append_val(cut->inputs, in);
    }
    for (guint i = 0; to < 0 && i < model->outputs->len; i++)
        ae_model_add_output(
            cut, copy_value(cut, model, ae_model_output(model, (int)i), map));
    if (to >= 0)
        ae_model_add_output(cut, copy_value(cut, model, to, map));
}

AeModel *ae_model_cut(const AeModel *model, const char *from, const char *to,
                      GError **error)
{
    int first, last;
    guint n = model->values->len;
    g_autofree gboolean *needed = g_new0(gboolean, n + 1);
    g_autofree gboolean *nodes = g_new0(gboolean, model->nodes->len + 1);
    g_autofree int *map = g_new(int, n + 1);

    if (!find_end(model, from, &first, error) ||
        !find_end(model, to, &last, error))
        return NULL;
    for (guint i = 0; last < 0 && i < model->outputs->len; i++)
        needed[ae_model_output(model, (int)i)] = TRUE;
    if (last >= 0)
        needed[last] = TRUE;
    if (!mark_needed(model, first, needed, nodes)) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "'%s' does not follow from '%s' alone",
                    to != NULL ? to : "the output", from);
        return NULL;
    }
    memset(map, 0xff, (n + 1) * sizeof *map);
    AeModel *cut = ae_model_new(model->opset);
    for (guint i = 0; i < model->nodes->len; i++)
        if (nodes[i])
            copy_node(cut, model, g_ptr_array_index(model->nodes, i), map);
    add_ends(cut, model, first, last, map);
    copy_metadata(cut, model);
    return cut;
}

AeModel *ae_model_copy(const AeModel *model)
{
    AeModel *copy = ae_model_new(model->opset);
    g_autofree int *map = g_new(int, model->values->len + 1);

    memset(map, 0xff, (model->values->len + 1) * sizeof *map);
    for (guint i = 0; i < model->values->len; i++)
        copy_value(copy, model, (int)i, map);
    for (guint i = 0; i < model->nodes->len; i++)
        copy_node(copy, model, g_ptr_array_index(model->nodes, i), map);
    g_array_append_vals(copy->inputs, model->inputs->data, model->inputs->len);
    g_array_append_vals(copy->outputs, model->outputs->data,
                        model->outputs->len);
    copy_metadata(copy, model);
    return copy;
}
