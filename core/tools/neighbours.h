/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Classification by nearest neighbours: it shows how well codes keep classes
 * apart. */
#pragma once

#include "base/pool.h"
#include "base/tensor.h"

#define AE_MAX_NEIGHBOURS 100

/* Gives each row of @rows (n x d) the label that most of its @k nearest rows of
 * @known (m x d, Euclidean) have; of labels with equal votes that of the
 * nearest. Rows equally far: the earlier one is nearer. @labels has m, @answers
 * n entries; k at most m and AE_MAX_NEIGHBOURS. FALSE: AE_ERROR_MEMORY. */
gboolean ae_neighbours_classify(const AeTensor *known, const uint8_t *labels,
                                const AeTensor *rows, int k, uint8_t *answers,
                                AePool *pool, GError **error);
