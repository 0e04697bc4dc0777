/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of options, how they are read from text and written as text. */
#include "train/options.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "train/private.h"

static const AeOptionChoice tasks[] = {
    {AE_TASK_AUTOENCODE, "Reproduce the frame", "autoencode"},
    {AE_TASK_DENOISE, "Recover the frame from its noisy version", "denoise"},
    {AE_TASK_SUPERRES, "Recover the frame from a smaller version", "superres"},
    {AE_TASK_VAE, "Reproduce the frame from a variational code", "vae"},
    {AE_TASK_ADVERSARIAL,
     "Reproduce the frame from a code that a discriminator takes for the prior",
     "adversarial"},
    {0}};
static const AeOptionChoice targets[] = {
    {AE_TASK_TARGET_CLEAN,
     "The frames are clean: they are the target, and get noise", "clean"},
    {AE_TASK_TARGET_NOISY,
     "The frames are noisy: where nothing moves, the two before are the target "
     "(Noise2Noise)",
     "noisy"},
    {0}};
static const AeOptionChoice losses[] = {
    {AE_LOSS_MSE, "Squared error", "mse"},
    {AE_LOSS_L1, "Smooth absolute error (Charbonnier)", "l1"},
    {AE_LOSS_BCE, "Binary cross-entropy", "bce"},
    {0}};
static const AeOptionChoice forms[] = {
    {AE_VAE_LOG_VARIANCE, "Log variance", "log-variance"},
    {AE_VAE_LOG_SD, "Log standard deviation", "log-sd"},
    {AE_VAE_AS_PUBLISHED,
     "Log standard deviation in sampling, log variance in the loss: the "
     "lesson's mistake, for comparison",
     "as-published"},
    {0}};
static const AeOptionChoice downscales[] = {
    {AE_RESAMPLE_BOX, "The mean of scale x scale samples", "mean"},
    {AE_RESAMPLE_BICUBIC, "Bicubic with antialiasing", "bicubic"},
    {0}};
static const AeOptionChoice modes[] = {
    {AE_SESSION_TRAIN, "Learn from the frames", "train"},
    {AE_SESSION_EVALUATE, "Measure model-file on the frames", "evaluate"},
    {0}};
static const AeOptionChoice optimizers[] = {
    {AE_OPTIMIZER_ADAM, "Adam", "adam"},
    {AE_OPTIMIZER_RMSPROP, "RMSprop", "rmsprop"},
    {AE_OPTIMIZER_SGD, "Gradient descent with momentum 0.9", "sgd"},
    {0}};
static const AeOptionChoice schedules[] = {
    {AE_SCHEDULE_CONSTANT, "The same rate for all steps", "constant"},
    {AE_SCHEDULE_COSINE, "Half a cosine down to 0 at max-steps", "cosine"},
    {0}};
static const AeOptionChoice colours[] = {
    {AE_TRAIN_COLOUR_AUTO, "RGB as three channels, of all else the luma",
     "auto"},
    {AE_TRAIN_COLOUR_YUV420,
     "Luma and chroma of 4:2:0 video as six channels of half its size",
     "yuv420"},
    {0}};

#define FIELD(name) offsetof(AeSessionOptions, name)

static const AeOption table[] = {
    {"task", "Task", "What the network learns", AE_OPTION_CHOICE,
     FIELD(task.kind), .number = AE_TASK_AUTOENCODE, .choices = tasks},
    {"architecture", "Architecture",
     "Name of the network to train; docs/user/models.md lists the names "
     "(default: the task chooses)",
     .type = AE_OPTION_STRING, .offset = FIELD(task.architecture)},
    {"latent-size", "Latent size",
     "Number of values of the code (0: the default of the architecture)",
     AE_OPTION_UINT, FIELD(task.latent_size), .maximum = 8192},
    {"hidden-size", "Hidden size",
     "Units of the dense layers around the code (0: the default of the "
     "architecture)",
     AE_OPTION_UINT, FIELD(task.hidden_size), .maximum = 8192},
    {"latent-noise", "Latent noise",
     "Standard deviation of the normal noise in the code; for variational "
     "networks a factor on their own (0: none, or the factor 1)",
     AE_OPTION_FLOAT, FIELD(task.latent_noise), .maximum = 1e3},
    {"conditional", "Conditional",
     "Encoder and decoder also see the label of the frame",
     .type = AE_OPTION_BOOLEAN, .offset = FIELD(task.conditional)},
    {"classes", "Classes",
     "Number of classes: labels of a conditional network are below it",
     AE_OPTION_UINT, FIELD(task.classes), .number = 10, .minimum = 1,
     .maximum = 8192},
    {"loss", "Loss",
     "Distance of the output from the target: the mean over the samples of an "
     "image, or their sum with task=vae",
     AE_OPTION_CHOICE, FIELD(task.loss), .choices = losses},
    {"form", "Form", "What the second head of a variational network stands for",
     AE_OPTION_CHOICE, FIELD(task.form), .choices = forms},
    {"beta", "Beta",
     "Weight of the loss of the code: the KL divergence (task=vae), or the "
     "loss by the discriminator (task=adversarial)",
     AE_OPTION_FLOAT, FIELD(task.beta), .number = 1, .maximum = 1e6},
    {"activity-penalty", "Activity penalty",
     "Weight of the L1 norm of the code, which makes it sparse",
     AE_OPTION_FLOAT, FIELD(task.activity_penalty), .maximum = 1e6},
    {"discriminator-rate", "Discriminator rate",
     "Learning rate of the discriminator of task=adversarial (0: that of "
     "the network)",
     AE_OPTION_FLOAT, FIELD(task.discriminator_rate), .maximum = 1e3},
    {"noise", "Noise",
     "Noise that task=denoise adds, or that task=superres adds to the smaller "
     "image: gaussian:mean=0.5,sd=0.5, or gaussian:sd=0..0.2 with a random "
     "level for each image (default: gaussian:sd=0.1 for task=denoise, none "
     "for task=superres)",
     .type = AE_OPTION_STRING, .offset = FIELD(task.noise)},
    {"target", "Target",
     "Target of task=denoise: the clean frame, or other noisy frames of a "
     "scene that stands still",
     AE_OPTION_CHOICE, FIELD(task.target), .choices = targets},
    {"scale", "Scale", "Upscaling factor of task=superres", AE_OPTION_UINT,
     FIELD(task.scale), .number = 2, .minimum = 2, .maximum = 8},
    {"downscale", "Downscale", "How task=superres makes frames small",
     AE_OPTION_CHOICE, FIELD(task.downscale), .number = AE_RESAMPLE_BICUBIC,
     .choices = downscales},
    {"seed", "Seed", "Seed of the initial weights, patches, order and noise",
     AE_OPTION_UINT64, FIELD(task.seed), .number = 1},
    {"mode", "Mode", "Train a model, or evaluate one", AE_OPTION_CHOICE,
     FIELD(mode), .choices = modes, .may_change = TRUE},
    {"model-file", "Model file",
     "The ONNX file to write (or, with mode=evaluate, to read)",
     .type = AE_OPTION_STRING, .offset = FIELD(model_file), .may_change = TRUE},
    {"initial-model", "Initial model",
     "A model to train further: an ONNX file or the name of a built-in model. "
     "If architecture is set: a new network takes the weights of this model "
     "whose names and shapes agree",
     .type = AE_OPTION_STRING, .offset = FIELD(initial_model),
     .may_change = TRUE},
    {"checkpoint-file", "Checkpoint file",
     "The safetensors file from which a run can resume (default: the name of "
     "the model file with .safetensors)",
     .type = AE_OPTION_STRING, .offset = FIELD(checkpoint_file),
     .may_change = TRUE},
    {"checkpoint-interval", "Checkpoint interval",
     "Steps between checkpoints (0: only at the end)", AE_OPTION_UINT,
     FIELD(checkpoint_interval), .maximum = G_MAXINT, .may_change = TRUE},
    {"resume", "Resume",
     "Continue from the checkpoint file, if it exists; the source must send "
     "all frames again, in the same order",
     .type = AE_OPTION_BOOLEAN, .offset = FIELD(resume), .may_change = TRUE},
    {"optimizer", "Optimizer", "How the loss is minimised", AE_OPTION_CHOICE,
     FIELD(optimizer), .choices = optimizers},
    {"learning-rate", "Learning rate", "Step size of the optimizer",
     AE_OPTION_FLOAT, FIELD(learning_rate), .number = 1e-3, .minimum = 1e-12,
     .maximum = 1e3},
    {"schedule", "Schedule", "How the learning rate changes", AE_OPTION_CHOICE,
     FIELD(schedule), .choices = schedules},
    {"clip-norm", "Clip norm",
     "Largest L2 norm of the whole gradient (0: no limit)", AE_OPTION_FLOAT,
     FIELD(clip_norm), .maximum = 1e9},
    {"batch-size", "Batch size", "Images of one step", AE_OPTION_UINT,
     FIELD(batch_size), .number = 128, .minimum = 1, .maximum = 65536},
    {"max-steps", "Maximum steps",
     "Number of steps after which training stops (0: no limit)",
     .type = AE_OPTION_UINT64, .offset = FIELD(max_steps), .may_change = TRUE},
    {"patch-size", "Patch size",
     "Pixels a side of the random patches cut from frames (0: whole frames)",
     AE_OPTION_UINT, FIELD(sampler.patch_size), .maximum = 4096},
    {"patches-per-frame", "Patches per frame", "Patches cut from each frame",
     AE_OPTION_UINT, FIELD(sampler.patches_per_frame), .number = 1,
     .minimum = 1, .maximum = 65536},
    {"colour", "Colour", "Which channels of a frame are learnt",
     AE_OPTION_CHOICE, FIELD(sampler.colour), .choices = colours},
    {"augment", "Augment", "Turn and mirror the images at random",
     .type = AE_OPTION_BOOLEAN, .offset = FIELD(sampler.augment)},
    {"shuffle-buffer", "Shuffle buffer",
     "Number of images held back and mixed with later images (0: none)",
     AE_OPTION_UINT, FIELD(sampler.shuffle_buffer), .maximum = 1 << 20},
    {"validate-every", "Validate every",
     "Hold out each N-th image of training, and validate on it (0: none)",
     AE_OPTION_UINT, FIELD(validate_every), .maximum = G_MAXINT},
    {"keep-best", "Keep best",
     "Write the model only if its loss on the first batch of held-out images "
     "(validate-every) is lower than that of all models since that batch was "
     "full",
     .type = AE_OPTION_BOOLEAN, .offset = FIELD(keep_best)},
    {"threads", "Threads",
     "Most worker threads; 0: one for each processor, which is also the most "
     "that are used",
     AE_OPTION_UINT, FIELD(threads), .maximum = 256, .may_change = TRUE},
};

const AeOption *ae_session_options_table(int *n)
{
    *n = G_N_ELEMENTS(table);
    return table;
}

static void *field_of(const AeSessionOptions *options, const AeOption *option)
{
    return (char *)options + option->offset;
}

static void store(AeSessionOptions *options, const AeOption *option,
                  double number)
{
    void *field = field_of(options, option);

    switch (option->type) {
    case AE_OPTION_STRING:
        break;
    case AE_OPTION_BOOLEAN:
    case AE_OPTION_CHOICE:
        *(int *)field = (int)number;
        break;
    case AE_OPTION_UINT:
        *(unsigned *)field = (unsigned)number;
        break;
    case AE_OPTION_UINT64:
        *(uint64_t *)field = (uint64_t)number;
        break;
    case AE_OPTION_FLOAT:
        *(float *)field = (float)number;
        break;
    }
}

void ae_session_options_init(AeSessionOptions *options)
{
    memset(options, 0, sizeof *options);
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        store(options, &table[i], table[i].number);
}

static gboolean refuse(const AeOption *option, const char *text,
                       const char *allowed, GError **error)
{
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "%s=%s is not possible: %s was expected", option->name, text,
                allowed);
    return FALSE;
}

static gboolean set_number(AeSessionOptions *options, const AeOption *option,
                           const char *text, GError **error)
{
    char *end;
    double number = g_ascii_strtod(text, &end);
    gboolean whole = option->type == AE_OPTION_UINT;
    g_autofree char *allowed =
        g_strdup_printf("a %snumber from %g to %.10g", whole ? "whole " : "",
                        option->minimum, option->maximum);

    if (*text == '\0' || *end != '\0' ||
        !(number >= option->minimum && number <= option->maximum) ||
        (whole && number != (unsigned)number))
        return refuse(option, text, allowed, error);
    store(options, option, number);
    return TRUE;
}

static gboolean set_choice(AeSessionOptions *options, const AeOption *option,
                           const char *text, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (const AeOptionChoice *c = option->choices; c->name != NULL; c++) {
        if (strcmp(c->name, text) == 0) {
            store(options, option, c->value);
            return TRUE;
        }
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "",
                               c->name);
    }
    g_string_prepend(names, "one of ");
    return refuse(option, text, names->str, error);
}

static gboolean set_boolean(AeSessionOptions *options, const AeOption *option,
                            const char *text, GError **error)
{
    gboolean value = strcmp(text, "true") == 0;

    if (!value && strcmp(text, "false") != 0)
        return refuse(option, text, "true or false", error);
    store(options, option, value);
    return TRUE;
}

static const AeOption *find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

gboolean ae_session_options_set(AeSessionOptions *options, const char *name,
                                const char *text, GError **error)
{
    const AeOption *option = find(name);

    if (option == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "training has no option '%s'", name);
        return FALSE;
    }
    switch (option->type) {
    case AE_OPTION_STRING: {
        char **field = field_of(options, option);

        g_free(*field);
        *field = g_strdup(text);
        return TRUE;
    }
    case AE_OPTION_UINT64:
        return g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64,
                                          field_of(options, option), NULL) ||
               refuse(option, text, "a whole number", error);
    case AE_OPTION_CHOICE:
        return set_choice(options, option, text, error);
    case AE_OPTION_BOOLEAN:
        return set_boolean(options, option, text, error);
    default:
        return set_number(options, option, text, error);
    }
}

/* The value of an option as ae_session_options_set() takes it. Free with
 * g_free(). */
static char *text_of(const AeSessionOptions *options, const AeOption *option)
{
    const void *field = (const char *)options + option->offset;
    const AeOptionChoice *choice = option->choices;

    switch (option->type) {
    case AE_OPTION_STRING:
        return g_strdup(*(char *const *)field);
    case AE_OPTION_BOOLEAN:
        return g_strdup(*(const gboolean *)field ? "true" : "false");
    case AE_OPTION_UINT:
        return g_strdup_printf("%u", *(const unsigned *)field);
    case AE_OPTION_UINT64:
        return g_strdup_printf("%" G_GUINT64_FORMAT, *(const uint64_t *)field);
    case AE_OPTION_FLOAT:
        return ae_float_text(*(const float *)field);
    case AE_OPTION_CHOICE:
        while (choice->value != *(const int *)field)
            choice++;
        return g_strdup(choice->name);
    }
    g_assert_not_reached();
}

char **ae_session_options_recipe(const AeSessionOptions *options)
{
    g_autoptr(GStrvBuilder) recipe = g_strv_builder_new();

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *text = text_of(options, &table[i]);

        if (table[i].may_change || text == NULL)
            continue;
        g_strv_builder_add(recipe, table[i].name);
        g_strv_builder_add(recipe, text);
    }
    return g_strv_builder_end(recipe);
}

AeSessionOptions ae_session_options_copy(const AeSessionOptions *options)
{
    AeSessionOptions copy = *options;

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (table[i].type == AE_OPTION_STRING) {
            char **field = field_of(&copy, &table[i]);

            *field = g_strdup(*field);
        }
    return copy;
}

void ae_session_options_clear(AeSessionOptions *options)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (table[i].type == AE_OPTION_STRING)
            g_free(*(char **)field_of(options, &table[i]));
    memset(options, 0, sizeof *options);
}
