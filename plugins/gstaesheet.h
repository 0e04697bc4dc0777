/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames of images that a model decodes from codes: what vaesample is made of,
 * ready to draw any frame by its number. */
#pragma once

#include <gst/video/video.h>

#include "gstaecodes.h"
#include "gstaemodel.h"

G_BEGIN_DECLS

#define GST_AE_SHEET_RANDOM_LABEL (-1)

typedef struct {
    GstAeModelSettings model;
    GstAeCodes codes;
    int label;          /* of every frame, or GST_AE_SHEET_RANDOM_LABEL */
    const char *latent; /* "0.5,-1": a code; NULL or "": none */
} GstAeSheetSettings;

/* A copy with strings of its own, for gst_ae_sheet_settings_clear(). Call it
 * with the object lock held. */
GstAeSheetSettings
gst_ae_sheet_settings_copy(const GstAeSheetSettings *settings);
void gst_ae_sheet_settings_clear(GstAeSheetSettings *settings);

typedef struct GstAeSheet GstAeSheet;

/* @old: a sheet of the same model settings, whose loaded model is shared; or
 * NULL. Errors: those of gst_ae_model_load() and gst_ae_decoder_new();
 * AE_ERROR_VALUE (a label or code that the model does not take, a sheet larger
 * than video can be). */
GstAeSheet *gst_ae_sheet_new(const GstAeSheetSettings *settings,
                             const GstAeSheet *old, GError **error);
void gst_ae_sheet_free(GstAeSheet *sheet);

/* What its frames can be. */
GstCaps *gst_ae_sheet_caps(const GstAeSheet *sheet);

/* Such caps with the size that is best where it is open. */
void gst_ae_sheet_fixate(const GstAeSheet *sheet, GstStructure *caps);

/* The label of frame @number; -1: the model takes none. */
int gst_ae_sheet_label(const GstAeSheet *sheet, guint64 number);

/* Fills @frame, of such caps, with frame @number; only a part of it if @pad is
 * flushing. */
void gst_ae_sheet_draw(GstAeSheet *sheet, guint64 number, GstVideoFrame *frame,
                       GstPad *pad);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GstAeSheetSettings,
                                 gst_ae_sheet_settings_clear)

G_END_DECLS
