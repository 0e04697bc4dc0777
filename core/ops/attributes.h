/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes nodes, and writes and reads their attributes. */
#pragma once

#include "ops/node.h"

G_BEGIN_DECLS

/* @inputs and @outputs: value numbers, -1 for an optional one that is left out.
 * The node has no attributes yet. */
AeNode *ae_node_new(const AeOperator *op, const char *name, const int *inputs,
                    int n_inputs, const int *outputs, int n_outputs);
void ae_node_free(AeNode *node);

void ae_node_set_ints(AeNode *node, const char *name, const int64_t *v, int n);
void ae_node_set_floats(AeNode *node, const char *name, const float *v, int n);
void ae_node_set_float(AeNode *node, const char *name, float v);
void ae_node_set_string(AeNode *node, const char *name, const char *v);
/* @v ends with NULL. */
void ae_node_set_strings(AeNode *node, const char *name, const char *const *v);
void ae_node_set_tensor(AeNode *node, const char *name, AeTensor *tensor);

/* Reading, as ae_node_int(). */
float ae_node_float(const AeNode *node, const char *name, float fallback);
const char *ae_node_string(const AeNode *node, const char *name,
                           const char *fallback);
/* Borrowed, @n its length; NULL and 0 where absent. */
const int64_t *ae_node_ints(const AeNode *node, const char *name, int *n);
const float *ae_node_floats(const AeNode *node, const char *name, int *n);
const char *const *ae_node_strings(const AeNode *node, const char *name,
                                   int *n);
const AeTensor *ae_node_tensor(const AeNode *node, const char *name);

/* Sets on @to a copy of each attribute of @from. Sets @error, and copies no
 * more tensors, where there is no memory for one. */
void ae_node_copy_attributes(AeNode *to, const AeNode *from, GError **error);

G_END_DECLS
