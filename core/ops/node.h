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

/* An attribute that is one whole number. Reading gives @fallback where the
 * attribute is absent or of another kind. */
void ae_node_set_int(AeNode *node, const char *name, int64_t v);
int64_t ae_node_int(const AeNode *node, const char *name, int64_t fallback);

G_END_DECLS
