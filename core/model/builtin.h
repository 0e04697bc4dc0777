/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The models that are compiled into the library (core/models/README.md). */
#pragma once

#include "model/model.h"

G_BEGIN_DECLS

/* The names of all models, sorted, ended by NULL. */
const char *const *ae_builtin_names(void);

/* Model @name. AE_ERROR_VALUE (there is no such model; the message lists the
 * names) and the errors of ae_onnx_parse(). */
AeModel *ae_builtin_load(const char *name, GError **error);

G_END_DECLS
