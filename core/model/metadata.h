/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a model's file says about the model: its metadata, which are strings
 * under the keys "ae.*" (the table of docs/user/models.md).
 *
 * No other C file spells, parses or writes the keys of model files. The kinds
 * of task are here, too, because model files name them. All metadata are
 * optional; what is there must be right. */
#pragma once

#include "model/model.h"

G_BEGIN_DECLS

/* Channels of an image of 4:2:0 video at half its size: the four lumas of a
 * block of 2 x 2, row by row, and the two chromas. */
#define AE_YUV420_CHANNELS 6

/* The level of the noise is the last channel of the image. */
#define AE_SIGMA_CHANNEL "channel"

/* What the model was trained to do. */
typedef enum {
    AE_TASK_UNKNOWN, /* the file does not say it */
    AE_TASK_AUTOENCODE,
    AE_TASK_DENOISE,
    AE_TASK_SUPERRES,
    AE_TASK_VAE,
    AE_TASK_ADVERSARIAL,
} AeTaskKind;

/* As the file and the users' settings have it: "denoise"; NULL if unknown. */
const char *ae_task_name(AeTaskKind task);

/* The images that the model was trained with. */
typedef enum {
    AE_MODEL_COLOUR_UNKNOWN, /* the file does not say it */
    AE_MODEL_GRAY,
    AE_MODEL_RGB,
    AE_MODEL_YUV420, /* images of AE_YUV420_CHANNELS */
} AeModelColour;

/* The values of the model that have a meaning of their own. */
typedef enum {
    AE_NAME_LATENT,       /* the code: what an autoencoder makes of an image */
    AE_NAME_MEAN,         /* moments of the normal distribution that the code */
    AE_NAME_LOG_VARIANCE, /* is drawn from */
    AE_NAME_LABEL,        /* the second input of a conditional model: N rows */
    AE_N_NAMES,           /* that are 1 at the image's class and 0 elsewhere */
} AeMetadataName;

/* The floats that the lowest and the highest sample of a picture become: low
 * and low + span. */
typedef struct {
    float low, span;
} AeRange;

/* An output whose value becomes that of an input in the next run: a state. */
typedef struct {
    int input, output; /* which of the model's inputs and outputs */
} AeCarry;

/* Strings belong to the model. What is not known is NULL, 0 or FALSE. */
typedef struct {
    const char *architecture; /* of ae_architecture_names(), or imported */
    const char *noise;        /* that it was trained with: video/noise.h */
    const char *sigma; /* what takes the level of the noise: the name of an
                          input, or AE_SIGMA_CHANNEL */
    const char *names[AE_N_NAMES];
    int classes; /* length of a label's row; 0: the model takes no label */
    AeTaskKind task;
    AeModelColour colour;
    AeRange range; /* read: unless the file says otherwise from 0 to 1, or to
                      the largest of uint8 or uint16 if the image that goes in
                      or the one that comes out holds these */
    int scale;     /* upscaling factor, 1 to 16 */
    int multiple;  /* that width and height must be multiples of, to 4096 */
    int frames;    /* that are the channels of an input, 1 to 9; 0: not said */
    int ahead;     /* of these come behind the one that is made; -1: not said */
    gboolean luma_chroma; /* show RGB to it as luma and chroma (BT.601) */
} AeMetadata;

/* Reads and checks all metadata of @model. Errors: AE_ERROR_FORMAT; the
 * sentence names key and value and begins with "the model says". */
gboolean ae_metadata_read(const AeModel *model, AeMetadata *metadata,
                          GError **error);

/* Sets the metadata of @model that are known in @metadata; others stay. */
void ae_metadata_write(AeModel *model, const AeMetadata *metadata);

/* Takes luma_chroma away. */
void ae_metadata_drop_luma_chroma(AeModel *model);

/* The value that a name stands for. Errors: AE_ERROR_SHAPE (the metadata lack
 * that name), AE_ERROR_FORMAT (no value is called so). */
const AeValue *ae_metadata_value(const AeModel *model, AeMetadataName name,
                                 GError **error);

/* The states of a model: an array of AeCarry, empty if there are none. By the
 * metadata ae.state, or by names: past_* and next_* or present_*, *_in and
 * *_out, r1i and r1o. Errors: AE_ERROR_FORMAT. */
GArray *ae_metadata_states(const AeModel *model, GError **error);

/* Where a network's strides do not divide an image, the image is enlarged to a
 * multiple. The multiples to try, one after the other, for @i = 0, 1, ...: the
 * model's own, or the powers of two from 1 to 32 where it is not known. 0:
 * there are no more. */
int ae_metadata_multiple(const AeMetadata *metadata, int i);

/* @size enlarged to a multiple of @multiple; G_MAXINT if that does not fit. */
int ae_round_up(int size, int multiple);

G_END_DECLS
