/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The models that are compiled in (models/README.md). */
#pragma once

#include "model/model.h"

G_BEGIN_DECLS

/* NULL-terminated, sorted. */
const char *const *ae_builtin_names(void);

/* The ONNX file of a name; NULL if there is none. */
GBytes *ae_builtin_model(const char *name);

/* Parsed. Errors: AE_ERROR_VALUE (no such model, the message lists the
 * names), those of ae_onnx_parse(). */
AeModel *ae_builtin_load(const char *name, GError **error);

G_END_DECLS
