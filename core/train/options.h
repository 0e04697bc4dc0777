/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a training session, and the one table that describes them:
 * the properties of aetrain and the options of `ae train` are made from it.
 *
 *     AeSessionOptions options;
 *
 *     ae_session_options_init(&options);
 *     ae_session_options_set(&options, "task", "denoise", &error);
 *     ...
 *     ae_session_options_clear(&options); */
#pragma once

#include "train/task.h"

G_BEGIN_DECLS

/* Learn from the pictures, or measure a model on them. */
typedef enum { AE_SESSION_TRAIN, AE_SESSION_EVALUATE } AeSessionMode;

/* The learning rate stays, or falls along half a cosine (AeTrainerOptions). */
typedef enum { AE_SCHEDULE_CONSTANT, AE_SCHEDULE_COSINE } AeSchedule;

/* The table in options.c says what each field means. */
typedef struct {
    AeTaskOptions task;
    AeSamplerOptions sampler; /* its still and seed follow from the task */
    AeSessionMode mode;
    const char *model_file, *initial_model, *checkpoint_file;
    unsigned checkpoint_interval;
    gboolean resume;
    AeOptimizerKind optimizer;
    float learning_rate;
    AeSchedule schedule;
    float clip_norm;
    unsigned batch_size;
    uint64_t max_steps;
    unsigned validate_every;
    gboolean keep_best;
    unsigned threads;
} AeSessionOptions;

/* The type of an option's field. */
typedef enum {
    AE_OPTION_STRING,  /* const char *, or NULL */
    AE_OPTION_BOOLEAN, /* gboolean, by default FALSE */
    AE_OPTION_UINT,    /* unsigned */
    AE_OPTION_UINT64,  /* uint64_t */
    AE_OPTION_FLOAT,   /* float */
    AE_OPTION_CHOICE,  /* an enum */
} AeOptionType;

typedef struct {
    int value;
    const char *about, *name;
} AeOptionChoice;

typedef struct {
    const char *name, *nick, *about;
    AeOptionType type;
    size_t offset; /* of the field in AeSessionOptions */
    double number; /* default */
    double minimum, maximum;
    const AeOptionChoice *choices; /* end with a name of NULL */
    gboolean may_change;           /* when a run resumes from a checkpoint */
} AeOption;

/* All options; @n is their number. */
const AeOption *ae_session_options_table(int *n);

/* Sets the defaults. */
void ae_session_options_init(AeSessionOptions *options);

/* Sets one option from text. Strings are copied. Errors: AE_ERROR_VALUE (no
 * such option or choice, a number out of range). */
gboolean ae_session_options_set(AeSessionOptions *options, const char *name,
                                const char *text, GError **error);

/* All options that must not change when a run resumes: name, value as text,
 * name, value, ..., NULL. Free with g_strfreev(). */
char **ae_session_options_recipe(const AeSessionOptions *options);

/* A copy with strings of its own. */
AeSessionOptions ae_session_options_copy(const AeSessionOptions *options);

/* Frees the strings. */
void ae_session_options_clear(AeSessionOptions *options);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AeSessionOptions, ae_session_options_clear)

G_END_DECLS
