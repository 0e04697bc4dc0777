/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds a model, or changes one that nothing else uses yet. */
#pragma once

#include "model/model.h"

G_BEGIN_DECLS

/* An empty model. */
AeModel *ae_model_new(int opset);

/* The next three return the number of the new value, or -1 with AE_ERROR_FORMAT
 * if a value has this name already. @shape NULL: unknown. */
int ae_model_add_value(AeModel *model, const char *name, const AeShape *shape,
                       GError **error);
int ae_model_add_input(AeModel *model, const char *name, const AeShape *shape,
                       GError **error);
/* Takes ownership of @tensor, also on failure. */
int ae_model_add_constant(AeModel *model, const char *name, AeTensor *tensor,
                          gboolean trainable, GError **error);

void ae_model_add_output(AeModel *model, int value);

/* Appends a node without attributes, which the model owns. Its inputs must
 * exist, and no other node may make its outputs. NULL with an error that names
 * the operator: AE_ERROR_UNSUPPORTED (unknown operator), AE_ERROR_FORMAT. */
AeNode *ae_model_add_node(AeModel *model, const char *op, const char *name,
                          const int *inputs, int n_inputs, const int *outputs,
                          int n_outputs, GError **error);

/* Replaces input @name by a constant, for example an input of axes. Takes
 * ownership of @tensor. The model must have no plan yet. */
gboolean ae_model_bind_input(AeModel *model, const char *name, AeTensor *tensor,
                             GError **error);

/* Sets the metadata of @key. */
void ae_model_set(AeModel *model, const char *key, const char *value);

G_END_DECLS
