/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models made of other models: halves and copies. */
#include "model/model.h"

#include <string.h>

#include "base/error.h"
#include "model/build.h"
#include "model/metadata.h"
#include "ops/attributes.h"
#include "ops/operator.h"

/* A model that becomes a copy of parts of another. */
typedef struct {
    AeModel *to;
    const AeModel *from;
    int *map;      /* the numbers of values in to, or -1 */
    GError *error; /* the first; the copy is not finished */
} Copy;

static void copy_begin(Copy *copy, const AeModel *from)
{
    guint n = from->values->len;

    *copy = (Copy){.to = ae_model_new(from->opset),
                   .from = from,
                   .map = g_new(int, n + 1)};
    memset(copy->map, 0xff, (n + 1) * sizeof *copy->map);
}

static AeTensor *copy_tensor(Copy *copy, const AeTensor *tensor)
{
    if (tensor == NULL || copy->error != NULL)
        return NULL;
    return ae_tensor_copy(tensor, &copy->error);
}

/* Adds value @i if it is not there; returns its number in the copy. */
static int copy_value(Copy *copy, int i)
{
    int *map = copy->map;

    if (i < 0 || map[i] >= 0)
        return i < 0 ? -1 : map[i];
    const AeValue *old = ae_model_value(copy->from, i);
    map[i] = ae_model_add_value(copy->to, old->name,
                                old->has_shape ? &old->shape : NULL, NULL);
    AeValue *value = ae_model_value(copy->to, map[i]);
    value->integer = old->integer;
    value->element = old->element;
    value->trainable = old->trainable;
    value->constant = copy_tensor(copy, old->constant);
    if (old->dim_names != NULL) {
        value->dim_names = g_new0(char *, old->shape.rank + 1);
        for (int d = 0; d < old->shape.rank; d++)
            value->dim_names[d] = g_strdup(old->dim_names[d]);
    }
    return map[i];
}

static void copy_node(Copy *copy, const AeNode *node)
{
    int n_in = (int)node->inputs->len, n_out = (int)node->outputs->len;
    g_autofree int *in = g_new(int, n_in + 1);
    g_autofree int *out = g_new(int, n_out + 1);

    for (int i = 0; i < n_in; i++)
        in[i] = copy_value(copy, g_array_index(node->inputs, int, i));
    for (int i = 0; i < n_out; i++)
        out[i] = copy_value(copy, g_array_index(node->outputs, int, i));
    AeNode *added = ae_model_add_node(copy->to, node->op->name, node->name, in,
                                      n_in, out, n_out, NULL);
    ae_node_copy_attributes(added, node,
                            copy->error == NULL ? &copy->error : NULL);
}

/* Adds the metadata; NULL with an error if something was not copied. */
static AeModel *copy_end(Copy *copy, GError **error)
{
    GHashTableIter iter;
    void *key, *value;

    g_hash_table_iter_init(&iter, copy->from->metadata);
    while (g_hash_table_iter_next(&iter, &key, &value))
        ae_model_set(copy->to, key, value);
    g_free(copy->map);
    if (copy->error == NULL)
        return copy->to;
    g_propagate_error(error, copy->error);
    ae_model_unref(copy->to);
    return NULL;
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

/* The number of the model's label, which a half may need as well; -1: none. */
static int find_label(const AeModel *model)
{
    const AeValue *label = ae_metadata_value(model, AE_NAME_LABEL, NULL);

    return label != NULL ? ae_model_find(model, label->name) : -1;
}

/* Marks the nodes that make @to from @from. FALSE if @to depends on another
 * input of the model than @from and the label. */
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
        if (input != from && needed[input] && input != find_label(model))
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

static void add_input(Copy *cut, int value)
{
    int in = copy_value(cut, value);

    g_array_append_val(cut->to->inputs, in);
}

/* @needed: of the model's values. */
static void add_ends(Copy *cut, int from, int to, const gboolean *needed)
{
    const AeModel *model = cut->from;

    if (from >= 0)
        add_input(cut, from);
    for (guint i = 0; i < model->inputs->len; i++) {
        int input = ae_model_input(model, (int)i);

        if (from < 0 || (input != from && needed[input]))
            add_input(cut, input);
    }
    for (guint i = 0; to < 0 && i < model->outputs->len; i++)
        ae_model_add_output(cut->to,
                            copy_value(cut, ae_model_output(model, (int)i)));
    if (to >= 0)
        ae_model_add_output(cut->to, copy_value(cut, to));
}

AeModel *ae_model_cut(const AeModel *model, const char *from, const char *to,
                      GError **error)
{
    int first, last;
    guint n = model->values->len;
    g_autofree gboolean *needed = g_new0(gboolean, n + 1);
    g_autofree gboolean *nodes = g_new0(gboolean, model->nodes->len + 1);
    Copy cut;

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
    copy_begin(&cut, model);
    for (guint i = 0; i < model->nodes->len; i++)
        if (nodes[i])
            copy_node(&cut, g_ptr_array_index(model->nodes, i));
    add_ends(&cut, first, last, needed);
    return copy_end(&cut, error);
}

AeModel *ae_model_copy(const AeModel *model, GError **error)
{
    Copy copy;

    copy_begin(&copy, model);
    for (guint i = 0; i < model->values->len; i++)
        copy_value(&copy, (int)i);
    for (guint i = 0; i < model->nodes->len; i++)
        copy_node(&copy, g_ptr_array_index(model->nodes, i));
    g_array_append_vals(copy.to->inputs, model->inputs->data,
                        model->inputs->len);
    g_array_append_vals(copy.to->outputs, model->outputs->data,
                        model->outputs->len);
    return copy_end(&copy, error);
}
