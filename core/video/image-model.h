/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a model does to images: it turns one into another. What its file leaves
 * open is found by planning it for a small image.
 *
 * Images may be (n, c, h, w) or (n, h, w, c), and the axis of the batch may be
 * missing. Convolutions without padding, and crops, make the output smaller
 * than a multiple of the input: such a model sees more than the image, by a
 * margin on each side.
 *
 * The image is the first input and the first output. Other inputs must be
 * states (ae_metadata_states()), or the level of the noise: one input of one
 * element, or a map whose name has "noise" or "sigma" in it. The level may also
 * be a channel behind those of the image, for models that keep its size (FFDNet
 * and DRUNet: Zhang, Zuo and Zhang, 2018, and Zhang et al., 2021). Other
 * outputs are left out.
 *
 * The channels may be those of several frames, the earliest first, of which the
 * model makes one: in the middle, unless the metadata say how many come after
 * it (FastDVDnet: Tassano, Delon and Veit, 2020). */
#pragma once

#include "model/metadata.h"

G_BEGIN_DECLS

#define AE_MAX_FRAMES 9 /* of one input */

typedef struct {
    AeModel *model; /* as it was, or with its images rearranged to (n, c, h, w)
                     */
    AeMetadata metadata;
    int channels; /* of an image: 1, 3, or AE_YUV420_CHANNELS */
    int frames;   /* that are the channels of the input, one behind the other */
    int ahead;    /* of these come after the one that is made */
    gboolean sigma_channel; /* the input has one more, for the noise's level */
    int sigma_input;        /* which input takes the level; 0: none */
    int scale;              /* the output is scale x (input - 2 margin) */
    int margin;             /* pixels of the input, on each side */
    GArray *states;         /* of AeCarry: what it remembers of past images */
} AeImageModel;

/* Keeps a reference to @model, or a copy of it. Errors: AE_ERROR_SHAPE (it does
 * something else than to turn images into images), AE_ERROR_FORMAT (metadata),
 * AE_ERROR_MEMORY and those of ae_plan_new(). Their sentences call the model
 * "the model". */
AeImageModel *ae_image_model_new(AeModel *model, GError **error);
void ae_image_model_free(AeImageModel *images);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeImageModel, ae_image_model_free)

G_END_DECLS
