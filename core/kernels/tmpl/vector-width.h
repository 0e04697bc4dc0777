/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors of WIDTH floats. The including file defines W(name), the name of a
 * function for this width. */

typedef float W(Vector) __attribute__((vector_size(4 * WIDTH)));
typedef int W(Mask) __attribute__((vector_size(4 * WIDTH)));

ALWAYS_INLINE W(Vector) W(load)(const float *p)
{
    W(Vector) v;

    memcpy(&v, p, sizeof v);
    return v;
}

ALWAYS_INLINE void W(store)(float *p, W(Vector) v)
{
    memcpy(p, &v, sizeof v);
}
