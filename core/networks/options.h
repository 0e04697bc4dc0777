/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of the named networks. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/**
 * AeVaeForm:
 * The meaning of the second output s of a variational encoder, whose first
 * output is the mean m; e is standard normal noise (Kingma and Welling, ICLR
 * 2014, section 3 and appendix B).
 * @AE_VAE_LOG_VARIANCE: z = m + exp(s / 2) e, log variance s
 * @AE_VAE_LOG_SD: z = m + exp(s) e, log variance 2 s
 * @AE_VAE_AS_PUBLISHED: z = m + exp(s) e, but the loss takes s for the log
 *   variance, as the lesson's notebooks and the Keras blog do. This is no
 * evidence lower bound; it serves to compare with their figures
 */
typedef enum {
    AE_VAE_LOG_VARIANCE,
    AE_VAE_LOG_SD,
    AE_VAE_AS_PUBLISHED,
} AeVaeForm;

/* 0 stands for the default in the network's description. */
typedef struct {
    int channels;       /* of the image: 1 to 4, 0 means 1. Networks for 4:2:0
                           video also take 6, at half of its width and height:
                           luma of even rows (even, then odd columns), of odd
                           rows, and two of chroma */
    int width, height;  /* of images for dense layers; 0: 28 */
    int latent_size;    /* values of the code */
    int hidden_size;    /* units of the dense layers around the code */
    int classes;        /* > 0: encoder and decoder take a label as well, a
                           one-hot row of so many numbers */
    AeVaeForm form;     /* of variational networks */
    int scale;          /* upscaling factor, 2, 3 or 4; 0: 2 */
    float latent_noise; /* standard deviation of the noise added to the code; in
                           variational networks a factor of e, 0 means 1 */
    uint64_t seed;      /* of the weights */
} AeArchitectureOptions;

G_END_DECLS
