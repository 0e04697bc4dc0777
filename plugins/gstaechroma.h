/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of luma and chroma of full size, and of chroma of half that size.
 *
 * The noise of chroma is coarse: a camera interpolates two colours of three,
 * and JPEG keeps half of the width. What a model leaves of it at full size it
 * sees better at half. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Red, green and blue become luma and chroma, or back: rows of @n samples, by
 * BT.601 of the full range, whatever numbers stand for that. @zero: what chroma
 * is where there is no colour. */
void gst_ae_chroma_from_rgb(float *const rows[3], int n, float zero);
void gst_ae_chroma_to_rgb(float *const rows[3], int n, float zero);

/* @half: @n means of 2x2 samples, of two rows that lie densely. */
void gst_ae_chroma_halve(const float *rows, float *half, int n);

/* @target: @row and, linearly interpolated, a row of an image half as large,
 * which lies between @near, three times as close, and @far; both have @n
 * samples, the others twice as many. */
void gst_ae_chroma_add(const float *row, const float *near, const float *far,
                       float *target, int n);

G_END_DECLS
