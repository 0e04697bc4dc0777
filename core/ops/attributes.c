/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes and their attributes. */
#include "ops/attributes.h"

#include <string.h>

static void attribute_free(void *data)
{
    AeAttribute *attribute = data;

    g_free(attribute->name);
    g_free(attribute->ints);
    g_free(attribute->floats);
    g_free(attribute->string);
    g_strfreev(attribute->strings);
    ae_tensor_free(attribute->tensor);
    g_free(attribute);
}

AeNode *ae_node_new(const AeOperator *op, const char *name, const int *inputs,
                    int n_inputs, const int *outputs, int n_outputs)
{
    AeNode *node = g_new0(AeNode, 1);

    node->name = g_strdup(name);
    node->op = op;
    node->inputs = g_array_new(FALSE, FALSE, sizeof(int));
    node->outputs = g_array_new(FALSE, FALSE, sizeof(int));
    node->attributes = g_ptr_array_new_with_free_func(attribute_free);
    g_array_append_vals(node->inputs, inputs, (guint)n_inputs);
    g_array_append_vals(node->outputs, outputs, (guint)n_outputs);
    return node;
}

void ae_node_free(AeNode *node)
{
    if (node == NULL)
        return;
    g_free(node->name);
    g_array_unref(node->inputs);
    g_array_unref(node->outputs);
    g_ptr_array_unref(node->attributes);
    g_free(node);
}

static AeAttribute *attribute_find(const AeNode *node, const char *name)
{
    for (guint i = 0; i < node->attributes->len; i++) {
        AeAttribute *attribute = g_ptr_array_index(node->attributes, i);
        if (strcmp(attribute->name, name) == 0)
            return attribute;
    }
    return NULL;
}

static AeAttribute *attribute_add(AeNode *node, const char *name,
                                  AeAttributeKind kind, int n)
{
    AeAttribute *old = attribute_find(node, name);

    if (old != NULL)
        g_ptr_array_remove(node->attributes, old);
    AeAttribute *attribute = g_new0(AeAttribute, 1);
    attribute->name = g_strdup(name);
    attribute->kind = kind;
    attribute->n = n;
    g_ptr_array_add(node->attributes, attribute);
    return attribute;
}

void ae_node_set_ints(AeNode *node, const char *name, const int64_t *v, int n)
{
    AeAttribute *a = attribute_add(node, name, AE_ATTRIBUTE_INTS, n);

    a->list = TRUE;
    a->ints = g_memdup2(v, (gsize)n * sizeof *v);
}

void ae_node_set_int(AeNode *node, const char *name, int64_t v)
{
    ae_node_set_ints(node, name, &v, 1);
    attribute_find(node, name)->list = FALSE;
}

void ae_node_set_floats(AeNode *node, const char *name, const float *v, int n)
{
    AeAttribute *a = attribute_add(node, name, AE_ATTRIBUTE_FLOATS, n);

    a->list = TRUE;
    a->floats = g_memdup2(v, (gsize)n * sizeof *v);
}

void ae_node_set_float(AeNode *node, const char *name, float v)
{
    ae_node_set_floats(node, name, &v, 1);
    attribute_find(node, name)->list = FALSE;
}

void ae_node_set_string(AeNode *node, const char *name, const char *v)
{
    attribute_add(node, name, AE_ATTRIBUTE_STRING, 1)->string = g_strdup(v);
}

void ae_node_set_strings(AeNode *node, const char *name, const char *const *v)
{
    int n = (int)g_strv_length((char **)v);

    attribute_add(node, name, AE_ATTRIBUTE_STRINGS, n)->strings =
        g_strdupv((char **)v);
}

void ae_node_set_tensor(AeNode *node, const char *name, AeTensor *tensor)
{
    attribute_add(node, name, AE_ATTRIBUTE_TENSOR, 1)->tensor = tensor;
}

const int64_t *ae_node_ints(const AeNode *node, const char *name, int *n)
{
    const AeAttribute *a = attribute_find(node, name);
    gboolean found = a != NULL && a->kind == AE_ATTRIBUTE_INTS;

    *n = found ? a->n : 0;
    return found ? a->ints : NULL;
}

const float *ae_node_floats(const AeNode *node, const char *name, int *n)
{
    const AeAttribute *a = attribute_find(node, name);
    gboolean found = a != NULL && a->kind == AE_ATTRIBUTE_FLOATS;

    *n = found ? a->n : 0;
    return found ? a->floats : NULL;
}

int64_t ae_node_int(const AeNode *node, const char *name, int64_t fallback)
{
    int n;
    const int64_t *v = ae_node_ints(node, name, &n);

    return n > 0 ? v[0] : fallback;
}

float ae_node_float(const AeNode *node, const char *name, float fallback)
{
    int n;
    const float *v = ae_node_floats(node, name, &n);

    return n > 0 ? v[0] : fallback;
}

const char *ae_node_string(const AeNode *node, const char *name,
                           const char *fallback)
{
    const AeAttribute *a = attribute_find(node, name);

    return a != NULL && a->kind == AE_ATTRIBUTE_STRING ? a->string : fallback;
}

const char *const *ae_node_strings(const AeNode *node, const char *name, int *n)
{
    const AeAttribute *a = attribute_find(node, name);
    gboolean found = a != NULL && a->kind == AE_ATTRIBUTE_STRINGS;

    *n = found ? a->n : 0;
    return found ? (const char *const *)a->strings : NULL;
}

const AeTensor *ae_node_tensor(const AeNode *node, const char *name)
{
    const AeAttribute *a = attribute_find(node, name);

    return a != NULL ? a->tensor : NULL;
}

void ae_node_copy_attributes(AeNode *to, const AeNode *from, GError **error)
{
    for (guint i = 0; i < from->attributes->len; i++) {
        const AeAttribute *a = g_ptr_array_index(from->attributes, i);
        AeAttribute *copy = attribute_add(to, a->name, a->kind, a->n);
        gsize n = (gsize)a->n;

        copy->list = a->list;
        copy->ints = g_memdup2(a->ints, n * sizeof *a->ints);
        copy->floats = g_memdup2(a->floats, n * sizeof *a->floats);
        copy->string = g_strdup(a->string);
        copy->strings = g_strdupv(a->strings);
        if (a->tensor != NULL && (error == NULL || *error == NULL))
            copy->tensor = ae_tensor_copy(a->tensor, error);
    }
}
