/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks whose weights people share without a graph. The names of the tensors
 * tell the architecture; their shapes tell channels, depth and scale. */
#pragma once

#include "model/model.h"
#include "model/safetensors.h"

G_BEGIN_DECLS

/* The model that @file holds the weights of, with metadata. The weights keep
 * their names. AE_ERROR_UNSUPPORTED: the architecture is not known.
 * AE_ERROR_FORMAT: a tensor is missing, has another shape than the architecture
 * asks for, or is no part of it; the message names it. AE_ERROR_MEMORY. */
AeModel *ae_import(const AeSafetensors *file, GError **error);

G_END_DECLS
