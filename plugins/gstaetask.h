/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a network shall learn: which network, from which input to which target,
 * and by which loss. Everything of training that does not concern the stream or
 * the optimizer. */
#pragma once

#include <gst/gst.h>

#include "ae.h"
#include "gstaeproperties.h"

G_BEGIN_DECLS

typedef enum {
    GST_AE_TASK_AUTOENCODE,
    GST_AE_TASK_DENOISE,
    GST_AE_TASK_SUPERRES,
    GST_AE_TASK_VAE,
    GST_AE_TASK_ADVERSARIAL,
} GstAeTaskKind;

typedef enum { GST_AE_TARGET_CLEAN, GST_AE_TARGET_NOISY } GstAeTarget;

/* What the user sets. */
typedef struct {
    GstAeTaskKind kind;
    GstAeTarget target;
    const char *architecture; /* NULL: the task's own */
    const char *noise;
    AeLoss loss;
    AeVaeForm form;
    AeResampleKernel downscale;
    gboolean conditional;
    guint scale, latent_size, hidden_size, classes;
    float latent_noise, beta, activity_penalty, discriminator_rate;
    guint64 seed;
} GstAeTaskSettings;

/* The entries of a property table for @field, the GstAeTaskSettings in the
 * instances of @Type. */
/* clang-format off */
#define GST_AE_TASK_PROPERTIES(Type, field)                                    \
    {"task", "Task", "What the network learns", G_TYPE_ENUM,                   \
     G_STRUCT_OFFSET(Type, field.kind), .get_type = gst_ae_task_get_type},     \
    {"architecture", "Architecture",                                           \
     "The network to train: a name that docs/user/models.md lists (default: "  \
     "the task's own)", G_TYPE_STRING,                                         \
     G_STRUCT_OFFSET(Type, field.architecture)},                               \
    {"latent-size", "Latent size",                                             \
     "Values of the code (0: as the architecture has it)", G_TYPE_UINT,        \
     G_STRUCT_OFFSET(Type, field.latent_size), .maximum = 8192},               \
    {"hidden-size", "Hidden size",                                             \
     "Units of the dense layers around the code (0: as the architecture has "  \
     "it)", G_TYPE_UINT,                                                       \
     G_STRUCT_OFFSET(Type, field.hidden_size), .maximum = 8192},               \
    {"latent-noise", "Latent noise",                                           \
     "Standard deviation of the normal noise in the code; variational "        \
     "networks: in units of their own (0: none, variational networks 1)",      \
     G_TYPE_FLOAT, G_STRUCT_OFFSET(Type, field.latent_noise), .maximum = 1e3}, \
    {"conditional", "Conditional",                                             \
     "Encoder and decoder also see the frame's label", G_TYPE_BOOLEAN,         \
     G_STRUCT_OFFSET(Type, field.conditional)},                                \
    {"classes", "Classes", "Labels of a conditional network are below this",   \
     G_TYPE_UINT, G_STRUCT_OFFSET(Type, field.classes), .number = 10,          \
     .minimum = 1, .maximum = 8192},                                           \
    {"loss", "Loss",                                                           \
     "How far the output is from the target: the mean over an image's "        \
     "samples; with task=vae their sum", G_TYPE_ENUM,                          \
     G_STRUCT_OFFSET(Type, field.loss), .get_type = gst_ae_loss_get_type},     \
    {"form", "Form", "How a variational network's second head is meant",       \
     G_TYPE_ENUM, G_STRUCT_OFFSET(Type, field.form),                           \
     .get_type = gst_ae_vae_form_get_type},                                    \
    {"beta", "Beta",                                                           \
     "Weight of the code's term: the KL divergence (task=vae), the "           \
     "discriminator's judgement (task=adversarial)", G_TYPE_FLOAT,             \
     G_STRUCT_OFFSET(Type, field.beta), .number = 1, .maximum = 1e6},          \
    {"activity-penalty", "Activity penalty",                                   \
     "Weight of the sum of the code's absolute values, for a sparse code",     \
     G_TYPE_FLOAT, G_STRUCT_OFFSET(Type, field.activity_penalty),              \
     .maximum = 1e6},                                                          \
    {"discriminator-rate", "Discriminator rate",                               \
     "Learning rate of task=adversarial's discriminator (0: learning-rate)",   \
     G_TYPE_FLOAT, G_STRUCT_OFFSET(Type, field.discriminator_rate),            \
     .maximum = 1e3},                                                          \
    {"noise", "Noise",                                                         \
     "The noise that task=denoise adds, or task=superres to the smaller "      \
     "version, such as gaussian:mean=0.5,sd=0.5 or gaussian:sd=0..0.2 (a "     \
     "level of its own for each image; default: gaussian:sd=0.1 for "          \
     "task=denoise, none for task=superres)", G_TYPE_STRING,                   \
     G_STRUCT_OFFSET(Type, field.noise)},                                      \
    {"target", "Target", "What task=denoise learns to make of a noisy frame",  \
     G_TYPE_ENUM, G_STRUCT_OFFSET(Type, field.target),                         \
     .get_type = gst_ae_target_get_type},                                      \
    {"scale", "Scale", "How often larger task=superres makes a frame",         \
     G_TYPE_UINT, G_STRUCT_OFFSET(Type, field.scale), .number = 2,             \
     .minimum = 2, .maximum = 8},                                              \
    {"downscale", "Downscale", "How task=superres makes frames small",         \
     G_TYPE_ENUM, G_STRUCT_OFFSET(Type, field.downscale),                      \
     .number = AE_RESAMPLE_BICUBIC, .get_type = gst_ae_downscale_get_type},    \
    {"seed", "Seed", "Decides initial weights, patches, order and noise",      \
     G_TYPE_UINT64, G_STRUCT_OFFSET(Type, field.seed), .number = 1}
/* clang-format on */

GType gst_ae_task_get_type(void);
GType gst_ae_target_get_type(void);
GType gst_ae_loss_get_type(void);
GType gst_ae_vae_form_get_type(void);
GType gst_ae_downscale_get_type(void);

/* A copy with strings of its own. */
GstAeTaskSettings gst_ae_task_settings_copy(const GstAeTaskSettings *from);
void gst_ae_task_settings_clear(GstAeTaskSettings *settings);

typedef struct GstAeTask GstAeTask;

/* Errors: AE_ERROR_VALUE, settings that contradict one another. */
GstAeTask *gst_ae_task_new(const GstAeTaskSettings *settings, GError **error);
void gst_ae_task_free(GstAeTask *task);

/* The network's name. */
const char *gst_ae_task_architecture(const GstAeTask *task);

/* The size of the images from now on, as they come; 6 channels: those of 4:2:0
 * video, at half of its size. Errors: AE_ERROR_SHAPE (the scale does not divide
 * it), AE_ERROR_VALUE (the task cannot take them), AE_ERROR_MEMORY. */
gboolean gst_ae_task_set_size(GstAeTask *task, int channels, int width,
                              int height, GError **error);

/* A new network for images of that size. */
AeModel *gst_ae_task_new_model(const GstAeTask *task, GError **error);

/* A trainer of @model; @options: optimizer, batch, threads; the task sets loss
 * and seed. */
AeTrainer *gst_ae_task_new_trainer(const GstAeTask *task, AeModel *model,
                                   AeTrainerOptions options, GError **error);

/* Room for a sample on its way into a batch. */
typedef struct {
    float *input, *target, *label;
} GstAeTaskSlot;

/* Sample @number of the stream, width x height x channels bytes (of 4:2:0 the
 * planes of Y, U and V), as input, target and label: what is random depends on
 * the number alone. With target=noisy three such samples, the input and two of
 * which the target is the mean. @label: -1, there is none. Errors:
 * AE_ERROR_VALUE, a network of @classes needs another label. */
gboolean gst_ae_task_fill(GstAeTask *task, const guint8 *sample, int label,
                          gint64 classes, guint64 number, GstAeTaskSlot slot,
                          GError **error);

/* Notes in the model's metadata what it was trained for. */
void gst_ae_task_describe(const GstAeTask *task, AeModel *model);

/* What the code's term of the loss is called in messages; NULL: there is none.
 */
const char *gst_ae_task_code_term(const GstAeTask *task);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstAeTask, gst_ae_task_free)

G_END_DECLS
