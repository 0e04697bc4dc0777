/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops.h"

const AeOperator ae_ops_reduce[] = {{NULL}};
