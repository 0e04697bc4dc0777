/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Principal components (Pearson 1901, Hotelling 1933) as an autoencoder: they
 * are the linear one with the least squared error. */
#pragma once

#include "data/idx.h"
#include "model/model.h"

/* A model of the architecture "linear" with the first @components of the
 * @images, in units of [0, 1]: the code is (image - mean) times the
 * orthonormal components, the output mean + code times components, not cut to
 * [0, 1]. A component's largest weight is positive. @share, if not NULL: of the
 * variance that the components hold. Errors: AE_ERROR_SHAPE (no images),
 * AE_ERROR_VALUE (more components than samples an image has, or none),
 * AE_ERROR_MEMORY. */
AeModel *ae_pca_new(const AeIdx *images, int components, double *share,
                    GError **error);
