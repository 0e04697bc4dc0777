/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A model: a tape of operations.
 *
 * The nodes stand in the order in which they run. Each node reads values that
 * are made before it and makes new ones. Values are numbered from 0. A value is
 * an input, a constant (such as a weight), or made by exactly one node. There
 * are no sub-graphs and no control flow. Metadata is a map of strings
 * (model/metadata.h).
 *
 * A model does not change once it is loaded or built; any number of plans and
 * threads may share it. Only a trainer, which owns its model alone, changes the
 * contents of constants. */
#pragma once

#include "ops/node.h"

G_BEGIN_DECLS

typedef struct {
    char *name;         /* unique, never empty */
    gboolean has_shape; /* shape is declared; otherwise planning finds it */
    gboolean integer;   /* the file declares whole numbers */
    AeElement element;  /* the type that the file declares */
    AeShape shape;      /* may hold AE_UNKNOWN */
    char **dim_names;   /* NULL, or a name such as "N" for each dimension, NULL
                           where it has none */
    AeTensor *constant; /* NULL if the value is no constant */
    gboolean trainable; /* a constant that training changes: a weight */
} AeValue;

typedef struct {
    gatomicrefcount refs;
    int opset;            /* 6 .. 28 */
    GPtrArray *values;    /* of AeValue */
    GPtrArray *nodes;     /* of AeNode, in execution order */
    GArray *inputs;       /* of int: numbers of values */
    GArray *outputs;      /* of int: numbers of values */
    GHashTable *names;    /* name of a value -> its number + 1 */
    GHashTable *metadata; /* string -> string */
} AeModel;

AeModel *ae_model_ref(AeModel *model);
void ae_model_unref(AeModel *model);

AeValue *ae_model_value(const AeModel *model, int value);
int ae_model_find(const AeModel *model, const char *name); /* -1: none */
int ae_model_input(const AeModel *model, int i); /* number of the value */
int ae_model_output(const AeModel *model, int i);

/* The metadata of @key, borrowed; NULL if there is none. */
const char *ae_model_get(const AeModel *model, const char *key);

/* The number of weights: elements of all trainable constants. */
int64_t ae_model_parameters(const AeModel *model);

/* Copies to @to the weights of @from that have the same name and shape, for
 * networks that differ in channels or scale. @to must not be shared and must
 * have no plan yet. Returns the number of weights copied. */
int64_t ae_model_take_weights(AeModel *to, const AeModel *from);

/* A new model of the nodes between values @from and @to and of the constants
 * that they read, such as the encoder or decoder half. @from NULL: the inputs;
 * @to NULL: the outputs. A label that @to depends on (AE_NAME_LABEL) is an
 * input behind @from. AE_ERROR_VALUE: there is no such value. AE_ERROR_SHAPE:
 * @to depends on other values than @from and the label. AE_ERROR_MEMORY. */
AeModel *ae_model_cut(const AeModel *model, const char *from, const char *to,
                      GError **error);

/* A deep copy. A trainer takes one if others still use the model. */
AeModel *ae_model_copy(const AeModel *model, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeModel, ae_model_unref)

G_END_DECLS
