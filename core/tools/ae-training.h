/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `ae train` and `ae samples` share: the options, and pictures from PNG
 * and idx files. */
#pragma once

#include "tools/ae-tool.h"

typedef struct {
    AeSessionOptions options;
    char *labels;           /* idx file, or NULL */
    int epochs;             /* 0: without end */
    gboolean shuffle, gray; /* gray: luma of RGB pictures */
    char **files;           /* PNG files, folders with them, idx files */
} Training;

/* Reads the command line into @training, whose options are named as the
 * properties of aetrain and idxsrc. Errors: of the domain G_OPTION_ERROR. */
gboolean training_parse(Training *training, Arguments *args, GError **error);
void training_clear(Training *training);

/* The pictures of a training's files, epoch after epoch, in the same order as
 * idxsrc sends them. */
typedef struct Pictures Pictures;

/* Errors: AE_ERROR_FILE, AE_ERROR_FORMAT (no pictures, or another number of
 * labels), those of ae_idx_load(). */
Pictures *pictures_new(const Training *training, GError **error);
void pictures_free(Pictures *pictures);

/* Pictures of all epochs; G_MAXUINT64: without end. */
uint64_t pictures_total(const Pictures *pictures);

/* Picture @number, valid until the next call, and its label or -1. Errors:
 * those of ae_image_load_png(). */
gboolean pictures_read(Pictures *pictures, uint64_t number, AePicture *picture,
                       int *label, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Training, training_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pictures, pictures_free)
