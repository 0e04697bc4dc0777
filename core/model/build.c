/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building models. */
#include "model/build.h"

#include <string.h>

#include "base/error.h"
#include "ops/attributes.h"
#include "ops/operator.h"

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
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "node '%s': the operator %s is not supported", name,
                    op_name);
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

void ae_model_set(AeModel *model, const char *key, const char *value)
{
    g_hash_table_insert(model->metadata, g_strdup(key), g_strdup(value));
}
