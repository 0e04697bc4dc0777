/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions of quantised models in whole numbers. */
#pragma once

#include "plan/value.h"

G_BEGIN_DECLS

/* A value between QuantizeLinear and DequantizeLinear is held as bytes. A Conv
 * or ConvTranspose whose input and weights come from DequantizeLinear reads the
 * bytes itself. If a QuantizeLinear alone reads its result, after a residual
 * and ReLU, it writes bytes, too. Other steps read floats as before.
 * AE_ERROR_UNSUPPORTED: @required, and no convolution could be converted. */
gboolean ae_plan_quantize(AePlan *plan, gboolean required, GError **error);

G_END_DECLS
