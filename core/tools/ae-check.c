/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of the program at the first error. These functions are in a file of
 * their own: were their code known where they are called, the compiler would
 * forget what the caller owns on the way to the end, and leak checkers would
 * call it lost. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/ae-tool.h"

GError *tool_error;

void tool_check(gboolean done)
{
    if (done)
        return;
    fprintf(stderr, "ae: %s\n", tool_error->message);
    exit(tool_error->domain == G_OPTION_ERROR ? 2 : 1);
}

void *tool_need(void *result)
{
    tool_check(result != NULL);
    return result;
}

G_GNUC_PRINTF(3, 0)
static void check(gboolean good, GQuark domain, const char *format,
                  va_list values)
{
    if (!good)
        tool_error = g_error_new_valist(domain, 0, format, values);
    tool_check(good);
}

void tool_require(gboolean good, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    check(good, AE_ERROR, format, values);
    va_end(values);
}

void tool_usage(gboolean good, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    check(good, G_OPTION_ERROR, format, values);
    va_end(values);
}
