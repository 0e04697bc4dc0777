/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of luma and chroma at full size, and of chroma at half of the size.
 *
 * The noise of chroma is coarse: a camera interpolates two colours of three,
 * and JPEG keeps half of the width. A denoiser sees coarse noise better in an
 * image of half the size. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Turns red, green and blue into luma and chroma (Cb, Cr), or back, in place:
 * three rows of @n samples, BT.601 of the full range, whatever numbers stand
 * for black and white. @zero: chroma of gray. */
void ae_chroma_from_rgb(float *const rows[3], int n, float zero);
void ae_chroma_to_rgb(float *const rows[3], int n, float zero);

/* @half: the @n means of 2x2 samples of two rows, which lie one after the other
 * at @rows. */
void ae_chroma_halve(const float *rows, float *half, int n);

/* @target = @row + a row of an image of half the size, interpolated linearly.
 * It lies between the rows @near, three times as close, and @far. Both have @n
 * samples; @row and @target have 2 n. */
void ae_chroma_add(const float *row, const float *near, const float *far,
                   float *target, int n);

G_END_DECLS
