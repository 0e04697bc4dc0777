/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The named networks, as models with random weights. */
#pragma once

#include "model/model.h"
#include "networks/options.h"

G_BEGIN_DECLS

/* The names of all networks, ended by NULL. */
const char *const *ae_architecture_names(void);

/* A sentence that describes network @name; NULL if there is none. */
const char *ae_architecture_describe(const char *name);

/* Network @name. The metadata hold its architecture, the names of its code, of
 * the code's moments and of the label, the classes, the upscaling factor and
 * the multiple of width and height. AE_ERROR_VALUE: there is no such network
 * (the message lists the names), or it does not have an option.
 * AE_ERROR_MEMORY. */
AeModel *ae_architecture_new(const char *name,
                             const AeArchitectureOptions *options,
                             GError **error);

/* The discriminator for codes of @size values in an adversarial autoencoder
 * (S5): layers size-500-500-500-500-1 with ReLU, and sigmoid at the end. Its
 * output is the probability that a code comes from the prior. Errors:
 * AE_ERROR_MEMORY. */
AeModel *ae_architecture_discriminator(int size, uint64_t seed, GError **error);

G_END_DECLS
