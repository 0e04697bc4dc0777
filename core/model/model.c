/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a model holds. */
#include "model/model.h"

#include <string.h>

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
