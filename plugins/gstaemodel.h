/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models as elements see them: found by file or by name, loaded once for the
 * whole process and shared.
 *
 * A name is looked up as NAME.onnx in the folders of the environment variable
 * GST_AE_MODEL_PATH (separated by ':'), in gst-autoencoder/models of the
 * user's and the system's data folders, then among the built-in models. */
#pragma once

#include <gst/gst.h>

#include "ae.h"
#include "gstaeproperties.h"

G_BEGIN_DECLS

/* A loaded model. Immutable; lives as long as somebody holds it. */
typedef struct {
    AeModel *model;
    AeMetadata metadata;
    char *label; /* the file's path or the built-in name: for messages */
    char *key;   /* its file's gst_ae_model_file_key(), or "builtin:NAME" */
    /*< private >*/
    int users; /* under the cache's lock */
} GstAeModel;

/* What the user of an element with a model sets. */
typedef struct {
    const char *model_file; /* a path; goes before the name */
    const char *model;      /* a name */
    guint threads;          /* most; 0: one for each processor */
    AePrecision precision;
} GstAeModelSettings;

/* The entries of a property table for @field, the GstAeModelSettings in the
 * instances of @Type; @name: the default of "model", or NULL. */
/* clang-format off */
#define GST_AE_MODEL_PROPERTIES(Type, field, name)                             \
    {"model-file", "Model file",                                               \
     "ONNX file of the model; if it is not set, \"model\" names a model",      \
     G_TYPE_STRING, G_STRUCT_OFFSET(Type, field.model_file),                   \
     .flags = GST_PARAM_MUTABLE_PLAYING},                                      \
    {"model", "Model",                                                         \
     "Name of a model: NAME.onnx in a folder of GST_AE_MODEL_PATH or in "      \
     "gst-autoencoder/models of a data folder, or a built-in model",           \
     G_TYPE_STRING, G_STRUCT_OFFSET(Type, field.model), .text = name,          \
     .flags = GST_PARAM_MUTABLE_PLAYING},                                      \
    {"threads", "Threads",                                                     \
     "Most worker threads; 0: one for each processor, which is also the "      \
     "most that are used",                                                     \
     G_TYPE_UINT,                                                              \
     G_STRUCT_OFFSET(Type, field.threads), .maximum = 256,                     \
     .flags = GST_PARAM_MUTABLE_PLAYING},                                      \
    {"precision", "Precision", "Type of the numbers in convolutions",          \
     G_TYPE_ENUM, G_STRUCT_OFFSET(Type, field.precision),                      \
     .number = AE_PRECISION_AUTO, .get_type = gst_ae_precision_get_type,       \
     .flags = GST_PARAM_MUTABLE_PLAYING}
/* clang-format on */

#define GST_TYPE_AE_PRECISION (gst_ae_precision_get_type())
GType gst_ae_precision_get_type(void);

/* Loads a model, or shares it if another element has loaded it and its file has
 * not changed since. @file is a path; where it is NULL, @name is looked up.
 * With AE_PRECISION_INT8 the built-in NAME-int8 is loaded for the built-in
 * NAME. Errors: those of ae_onnx_load() and ae_metadata_read(); AE_ERROR_VALUE
 * (no model of that name). */
GstAeModel *gst_ae_model_load(const char *file, const char *name,
                              AePrecision precision, GError **error);
void gst_ae_model_unref(GstAeModel *model);

/* A text that changes when the content of the file does; NULL: there is no such
 * file. Free. */
char *gst_ae_model_file_key(const char *path);

/* A copy with strings of its own, for gst_ae_model_settings_clear(). Call it
 * with the object lock held. */
GstAeModelSettings gst_ae_model_settings_copy(const GstAeModelSettings *from);
void gst_ae_model_settings_clear(GstAeModelSettings *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstAeModel, gst_ae_model_unref)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GstAeModelSettings,
                                 gst_ae_model_settings_clear)

G_END_DECLS
