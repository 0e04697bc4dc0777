/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A training session: the whole way from pictures to a model file. The element
 * aetrain and the command `ae train` feed one.
 *
 *     AeSession *session = ae_session_new(&options, watch, user, &error);
 *
 *     while (there is a picture && !ae_session_is_done(session))
 *         ae_session_push(session, &picture, label, &error);
 *     ae_session_finish(session, &error);
 *     ae_session_free(session);
 *
 * A picture goes through a sampler (sampler.h), its samples through a task
 * (task.h) into a batch; each full batch makes one step of a trainer
 * (trainer.h), in the caller's thread. The network is made when the first
 * picture has told its size.
 *
 * Files. The model file and the checkpoint file are written after every
 * checkpoint-interval steps, after max-steps, and by ae_session_finish() and
 * ae_session_save(); each replaces the older one in one go. With resume a
 * session continues from the checkpoint: push the same pictures again from the
 * first. The session passes over those that the checkpoint has learnt from, and
 * the weights come out bit-identical to those of a run without a break.
 *
 * Validation. With validate-every N each N-th sample is held out: it is never
 * learnt from. When they fill a batch it is measured, and the next ones take
 * its place. With keep-best the first such batch stays, later samples are all
 * learnt from, and only a model that does better on it than all measured before
 * is written.
 *
 * With mode=evaluate nothing is learnt: model-file is measured on the pictures,
 * whose size may change.
 *
 * The result depends on options and pictures, not on the number of threads.
 * Use a session from one thread at a time. */
#pragma once

#include "train/options.h"

G_BEGIN_DECLS

typedef struct AeSession AeSession;

/* What a session reports. */
typedef enum {
    AE_SESSION_BUILT,     /* the network is made, or made again */
    AE_SESSION_RESUMED,   /* the checkpoint is read */
    AE_SESSION_STARTED,   /* the first step follows */
    AE_SESSION_STEPPED,   /* after every step; its text is for logs */
    AE_SESSION_PROGRESS,  /* once a second and after the last step */
    AE_SESSION_VALIDATED, /* there is a new validation loss */
    AE_SESSION_SAVED,     /* model or checkpoint file are written */
    AE_SESSION_WARNED,    /* the text is a sentence for the user */
    AE_SESSION_ENDED,     /* ae_session_finish() has saved what was learnt */
    AE_SESSION_MEASURED,  /* mode=evaluate: ae_session_finish() is through */
} AeSessionEvent;

/* Called in the thread that pushes; @text, borrowed, says the event in words.
 * The watch may call ae_session_facts() and no other function. */
typedef void (*AeSessionWatch)(void *user, const AeSession *session,
                               AeSessionEvent event, const char *text);

/* How far a session is. */
typedef struct {
    int64_t step;             /* steps done, those before a checkpoint too */
    int64_t images;           /* steps x batch-size; mode=evaluate: measured */
    AeTrainerLoss loss;       /* of the last step; mode=evaluate: means */
    const char *code_term;    /* name of loss.code; NULL: there is none */
    double validation_loss;   /* NaN before the first */
    double images_per_second; /* since the first step of this run */
    double mse;               /* mode=evaluate: mean squared error */
} AeSessionFacts;

/* Copies @options. Loads the initial model, or with mode=evaluate the model
 * file. @watch may be NULL. Errors: AE_ERROR_VALUE (options that do not go
 * together), AE_ERROR_FILE (the files cannot be written), those of
 * ae_onnx_load(). */
AeSession *ae_session_new(const AeSessionOptions *options, AeSessionWatch watch,
                          void *user, GError **error);
void ae_session_free(AeSession *session);

/* Tells the format of the pictures before the first one is there: makes the
 * network and resumes. ae_session_push() does it where it was not done. Errors:
 * AE_ERROR_FORMAT (samples change their size while training), those of
 * ae_sampler_set_format(), ae_task_set_size(), ae_architecture_new(),
 * ae_task_new_trainer() and ae_trainer_resume(). What was learnt before can
 * still be saved. */
gboolean ae_session_set_format(AeSession *session,
                               const AePictureFormat *format, GError **error);

/* Learns from @picture, or measures on it. @label: what it shows, from 0; -1:
 * it has no label. Does nothing once the session is done. Errors: those of
 * ae_session_set_format(), of ae_task_fill(), of ae_trainer_step() and of
 * writing files. After one of the last three the session learns and saves no
 * more: only ae_session_free() is left. */
gboolean ae_session_push(AeSession *session, const AePicture *picture,
                         int label, GError **error);

/* TRUE after max-steps. */
gboolean ae_session_is_done(const AeSession *session);

/* Learns from the samples that are left in the shuffle buffer and in an
 * incomplete batch, saves, and reports the end. More pictures may follow.
 * Errors: as ae_session_push(). */
gboolean ae_session_finish(AeSession *session, GError **error);

/* Writes model and checkpoint, unless nothing was learnt since the last time:
 * for a run that is cut short. Errors: of writing files. */
gboolean ae_session_save(AeSession *session, GError **error);

AeSessionFacts ae_session_facts(const AeSession *session);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeSession, ae_session_free)

G_END_DECLS
