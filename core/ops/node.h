/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A node: one operator with its attributes, and the values that it reads and
 * makes. Values are numbers whose meaning the owner of the node, a model, knows
 * (model/model.h). */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

typedef struct AeOperator AeOperator; /* ops/operator.h */

typedef enum {
    AE_ATTRIBUTE_INTS,   /* also a single int */
    AE_ATTRIBUTE_FLOATS, /* also a single float */
    AE_ATTRIBUTE_STRING,
    AE_ATTRIBUTE_STRINGS,
    AE_ATTRIBUTE_TENSOR,
} AeAttributeKind;

typedef struct {
    char *name;
    AeAttributeKind kind;
    gboolean list; /* written as INTS/FLOATS even with one element */
    int n;
    int64_t *ints;
    float *floats;
    char *string;
    char **strings; /* n, and a NULL */
    AeTensor *tensor;
} AeAttribute;

typedef struct {
    char *name; /* may be empty */
    const AeOperator *op;
    GArray *inputs;  /* of int: values; -1 = optional input left out */
    GArray *outputs; /* of int: values; -1 = optional output left out */
    GPtrArray *attributes;
} AeNode;

/* @inputs and @outputs: value numbers, -1 for an optional one that is left out.
 * The node has no attributes yet. */
AeNode *ae_node_new(const AeOperator *op, const char *name, const int *inputs,
                    int n_inputs, const int *outputs, int n_outputs);
void ae_node_free(AeNode *node);

void ae_node_set_ints(AeNode *node, const char *name, const int64_t *v, int n);
void ae_node_set_int(AeNode *node, const char *name, int64_t v);
void ae_node_set_floats(AeNode *node, const char *name, const float *v, int n);
void ae_node_set_float(AeNode *node, const char *name, float v);
void ae_node_set_string(AeNode *node, const char *name, const char *v);
/* @v ends with NULL. */
void ae_node_set_strings(AeNode *node, const char *name, const char *const *v);
void ae_node_set_tensor(AeNode *node, const char *name, AeTensor *tensor);

/* Reading: the default where the attribute is absent or of another kind. */
int64_t ae_node_int(const AeNode *node, const char *name, int64_t fallback);
float ae_node_float(const AeNode *node, const char *name, float fallback);
const char *ae_node_string(const AeNode *node, const char *name,
                           const char *fallback);
/* Borrowed, @n its length; NULL and 0 where absent. */
const int64_t *ae_node_ints(const AeNode *node, const char *name, int *n);
const float *ae_node_floats(const AeNode *node, const char *name, int *n);
const char *const *ae_node_strings(const AeNode *node, const char *name,
                                   int *n);
const AeTensor *ae_node_tensor(const AeNode *node, const char *name);

/* Sets on @to a copy of each attribute of @from. */
void ae_node_copy_attributes(AeNode *to, const AeNode *from);

G_END_DECLS
