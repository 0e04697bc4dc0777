/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of the axes of images at the ends of a model. */
#pragma once

#include "model/model.h"

G_BEGIN_DECLS

typedef struct {
    gboolean
        channels_last; /* (h, w, c), as TensorFlow has it; else (c, h, w) */
    gboolean single;   /* there is no axis of the batch */
} AeLayout;

/* A copy of @model whose first input and output are (n, c, h, w), where they
 * are @in and @out in the model. AE_ERROR_MEMORY, AE_ERROR_SHAPE (the ranks are
 * others). */
AeModel *ae_model_rearrange(const AeModel *model, AeLayout in, AeLayout out,
                            GError **error);

G_END_DECLS
