/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models made of other models: halves and copies. */
#include "model/model.h"

#include <string.h>

#include "base/error.h"
#include "model/build.h"
#include "ops/attributes.h"
#include "ops/operator.h"

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
