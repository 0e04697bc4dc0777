/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A model: a tape of operations.
 *
 * Nodes stand in execution order; each reads values made before it and makes
 * new ones. Values are numbered from 0; a value is an input, a constant
 * (weights among them) or made by exactly one node. There are no sub-graphs and
 * no control flow. Metadata is a map of strings (model/metadata.h).
 *
 * A model is immutable once loaded or built and may be shared by any number of
 * plans and threads. Only a trainer, which owns its model alone, changes the
 * contents of constants. */
#pragma once

#include "ops/node.h"

G_BEGIN_DECLS

typedef struct {
    char *name;         /* unique, never empty */
    gboolean has_shape; /* FALSE: only planning tells */
    gboolean integer;   /* the file declares whole numbers */
    AeElement element;  /* of which type */
    AeShape shape;      /* may hold AE_UNKNOWN */
    char **dim_names;   /* NULL, or rank names (NULL where none): "N", "H" */
    AeTensor *constant; /* NULL unless a constant */
    gboolean trainable; /* a constant that training changes */
} AeValue;

typedef struct {
    gatomicrefcount refs;
    int opset;            /* 7 .. 21 */
    GPtrArray *values;    /* of AeValue */
    GPtrArray *nodes;     /* of AeNode, in execution order */
    GArray *inputs;       /* of int: values to feed */
    GArray *outputs;      /* of int */
    GHashTable *names;    /* value name -> value + 1 */
    GHashTable *metadata; /* string -> string */
} AeModel;

AeModel *ae_model_new(int opset);
AeModel *ae_model_ref(AeModel *model);
void ae_model_unref(AeModel *model);

/* Building. Each returns the number of the new value, or -1 with an error
 * (AE_ERROR_FORMAT) when the name is taken. @shape NULL: unknown. */
int ae_model_add_value(AeModel *model, const char *name, const AeShape *shape,
                       GError **error);
int ae_model_add_input(AeModel *model, const char *name, const AeShape *shape,
                       GError **error);
/* Takes ownership of @tensor, also on failure. */
int ae_model_add_constant(AeModel *model, const char *name, AeTensor *tensor,
                          gboolean trainable, GError **error);
void ae_model_add_output(AeModel *model, int value);

/* Appends a node with no attributes; the outputs must not be made by another
 * node and the inputs must exist. NULL with an error that names the operator:
 * AE_ERROR_UNSUPPORTED (unknown operator, the message lists the known ones),
 * AE_ERROR_FORMAT. The model owns the node. */
AeNode *ae_model_add_node(AeModel *model, const char *op, const char *name,
                          const int *inputs, int n_inputs, const int *outputs,
                          int n_outputs, GError **error);

/* Replaces a graph input by a constant (an axes or shape input, say). Takes
 * ownership of @tensor. Must not be called once a plan has been made. */
gboolean ae_model_bind_input(AeModel *model, const char *name, AeTensor *tensor,
                             GError **error);

AeValue *ae_model_value(const AeModel *model, int value);
int ae_model_find(const AeModel *model, const char *name); /* -1: none */
int ae_model_input(const AeModel *model, int i);           /* the value */
int ae_model_output(const AeModel *model, int i);

/* Metadata; NULL where absent. Borrowed. */
const char *ae_model_get(const AeModel *model, const char *key);
void ae_model_set(AeModel *model, const char *key, const char *value);

/* Number of weights: elements of all trainable constants. */
int64_t ae_model_parameters(const AeModel *model);

/* Gives @to the weights of @from whose name and shape agree: what networks have
 * in common that differ in channels or scale. @to must not be shared or planned
 * yet. Returns how many weights were taken. */
int64_t ae_model_take_weights(AeModel *to, const AeModel *from);

/* A model of its own with the nodes between @from and @to (value names; NULL:
 * the model's inputs / outputs) and the constants they read: the encoder or
 * decoder half. Errors: AE_ERROR_VALUE (no such value), AE_ERROR_SHAPE (@to
 * does not follow from @from alone). */
AeModel *ae_model_cut(const AeModel *model, const char *from, const char *to,
                      GError **error);

/* A deep copy: what a trainer takes when others still use the model. */
AeModel *ae_model_copy(const AeModel *model);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeModel, ae_model_unref)

G_END_DECLS
