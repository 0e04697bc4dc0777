/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The named networks, as models with fresh weights (Glorot uniform, zero
 * bias). */
#pragma once

#include "model.h"

G_BEGIN_DECLS

/* NULL-terminated. */
const char *const *ae_architecture_names(void);

/* One sentence about a name; NULL if there is none. */
const char *ae_architecture_describe(const char *name);

/* @channels of the image (1 or 3); equal @seed, equal weights. Errors:
 * AE_ERROR_VALUE, listing the names. */
AeModel *ae_architecture_new(const char *name, int channels, uint64_t seed,
                             GError **error);

G_END_DECLS
