/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels for each vector width of an instruction set, from one template.
 *
 * The including file defines
 *
 *   TEMPLATE     the header with the kernels for vectors of WIDTH lanes. It
 *                names them W(name), which becomes name_8 and so on, and ends
 *                with `static const Width W(width)`, a table of them;
 *   LEAST_WIDTH  lanes of the narrowest vectors;
 *   Width        a structure whose first member is `int width`.
 *
 * This header includes the template for each width of 1, 4, 8 and 16 lanes
 * that lies between LEAST_WIDTH and AE_LANES. Afterwards widths[] holds the
 * tables, the narrowest first, and W(name) is a kernel of the widest. */

#define W(name) JOIN(name, JOIN(_, WIDTH))

#if LEAST_WIDTH <= 1
#define WIDTH 1
#include TEMPLATE
#undef WIDTH
#endif
#if LEAST_WIDTH <= 4
#define WIDTH 4
#include TEMPLATE
#undef WIDTH
#endif
#if AE_LANES >= 8
#define WIDTH 8
#include TEMPLATE
#undef WIDTH
#endif
#if AE_LANES >= 16
#define WIDTH 16
#include TEMPLATE
#undef WIDTH
#endif

static const Width *const widths[] = {
#if LEAST_WIDTH <= 1
    &width_1,
#endif
#if LEAST_WIDTH <= 4
    &width_4,
#endif
#if AE_LANES >= 8
    &width_8,
#endif
#if AE_LANES >= 16
    &width_16,
#endif
};

#define WIDTH AE_LANES

/* The widest vectors that @n lanes fill, or else the narrowest there are. */
static const Width *width_within(int n)
{
    int i = (int)G_N_ELEMENTS(widths) - 1;

    while (i > 0 && widths[i]->width > n)
        i--;
    return widths[i];
}
