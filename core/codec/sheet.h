/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of what a decoder makes of the codes of a path: one image, or the
 * columns and rows of a grid. Any picture can be drawn by its number. */
#pragma once

#include "codec/codec.h"
#include "codec/paths.h"

G_BEGIN_DECLS

#define AE_SHEET_RANDOM_LABEL (-1)

typedef struct {
    AePath path;
    int label;          /* of every picture, or AE_SHEET_RANDOM_LABEL */
    const char *latent; /* "0.5,-1": the given code of the path; NULL or "":
                           there is none */
} AeSheetOptions;

/* How many images a decoder of such sheets had best decode at once. */
int ae_sheet_batch(const AePath *path);

typedef struct AeSheet AeSheet;

/* @decoder must outlive the sheet. Errors: AE_ERROR_VALUE (a label or a code
 * that the model does not take). */
AeSheet *ae_sheet_new(AeCodec *decoder, const AeSheetOptions *options,
                      GError **error);
void ae_sheet_free(AeSheet *sheet);
const AePath *ae_sheet_path(const AeSheet *sheet);

/* The label of picture @number; -1: the model takes none. */
int ae_sheet_label(const AeSheet *sheet, uint64_t number);

/* Called before each batch: TRUE ends the drawing. */
typedef gboolean (*AeSheetStop)(void *data);

/* Fills @picture, which has room for whole images, with picture @number; only a
 * part of it if @stop (may be NULL) says so. */
void ae_sheet_draw(AeSheet *sheet, uint64_t number, const AePicture *picture,
                   AeSheetStop stop, void *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeSheet, ae_sheet_free)

G_END_DECLS
