/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The error codes of the core. Each message is one sentence. It names the file,
 * the node and the operator where there are any, and says what was expected and
 * what was found. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AE_ERROR (ae_error_quark())

/**
 * AeError:
 * @AE_ERROR_FILE: a file could not be read or written
 * @AE_ERROR_FORMAT: a file's content is damaged, truncated or hostile
 * @AE_ERROR_UNSUPPORTED: valid, but not supported here
 * @AE_ERROR_SHAPE: shapes do not fit each other
 * @AE_ERROR_VALUE: an argument or attribute is out of its range
 * @AE_ERROR_MEMORY: not enough memory
 * @AE_ERROR_DIVERGED: training met a loss or gradient that is not finite
 */
typedef enum {
    AE_ERROR_FILE,
    AE_ERROR_FORMAT,
    AE_ERROR_UNSUPPORTED,
    AE_ERROR_SHAPE,
    AE_ERROR_VALUE,
    AE_ERROR_MEMORY,
    AE_ERROR_DIVERGED,
} AeError;

GQuark ae_error_quark(void);

G_END_DECLS
