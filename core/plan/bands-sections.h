/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bands (bands.h): the sections of the output rows, one a thread, and the seams
 * between them. */
#pragma once

#include "plan/bands-walk.h"

G_BEGIN_DECLS

/* Sets sections, begins, seams and seam_size of @bands, whose buffers and
 * stages are known. Sections depend on the number of threads and on the work of
 * each stage, not on the height of bands. */
void ae_bands_deal_sections(AeBands *bands);

G_END_DECLS
