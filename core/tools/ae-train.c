/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae train`: a training session fed from files. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "tools/ae-training.h"

enum { INTERVAL = 10 * G_USEC_PER_SEC }; /* between plain lines of progress */

static volatile sig_atomic_t interrupted;

static void interrupt(int signal G_GNUC_UNUSED)
{
    interrupted = TRUE;
}

typedef struct {
    gint64 last; /* time of the last plain line */
} Progress;

/* What the session reports becomes lines; progress on a terminal is a line of
 * its own (show_progress()). */
static void watch(void *user, const AeSession *session G_GNUC_UNUSED,
                  AeSessionEvent event, const char *text)
{
    Progress *progress = user;
    gint64 now = g_get_monotonic_time();

    if (event == AE_SESSION_STEPPED)
        return;
    if (event == AE_SESSION_PROGRESS) {
        if (isatty(STDERR_FILENO) || now - progress->last < INTERVAL)
            return;
        progress->last = now;
    }
    tool_progress(1, 1);
    if (event == AE_SESSION_WARNED)
        fprintf(stderr, "ae: %s\n", text);
    else
        printf("%s\n", text);
    fflush(stdout);
}

/* Shows how far the session is after @pictures of @total: in steps where their
 * number is set, else in pictures. */
static void show_progress(const AeSession *session, const Training *training,
                          uint64_t pictures, uint64_t total)
{
    static gint64 last;
    gint64 now = g_get_monotonic_time();
    int64_t steps = (int64_t)training->options.max_steps;

    if (now - last < G_USEC_PER_SEC / 5 || ae_session_is_done(session))
        return;
    last = now;
    if (steps > 0)
        tool_progress(ae_session_facts(session).step, steps);
    else
        tool_progress((int64_t)pictures, (int64_t)total);
}

static gboolean feed(AeSession *session, const Training *training,
                     Pictures *pictures, GError **error)
{
    uint64_t total = pictures_total(pictures);

    tool_progress(0, 1);
    for (uint64_t i = 0;
         i < total && !interrupted && !ae_session_is_done(session); i++) {
        AePicture picture;
        int label;

        show_progress(session, training, i, total);
        if (!pictures_read(pictures, i, &picture, &label, error) ||
            !ae_session_push(session, &picture, label, error))
            return FALSE;
    }
    tool_progress(1, 1);
    if (!interrupted)
        return ae_session_finish(session, error);
    if (!ae_session_save(session, error))
        return FALSE;
    printf("interrupted after step %" G_GINT64_FORMAT
           ": --resume continues from there\n",
           ae_session_facts(session).step);
    return TRUE;
}

static gboolean run_train(Arguments *args, GError **error)
{
    g_auto(Training) training = {0};
    g_autoptr(Pictures) pictures = NULL;
    g_autoptr(AeSession) session = NULL;
    Progress progress = {0};

    if (!training_parse(&training, args, error))
        return FALSE;
    if (training.options.model_file == NULL)
        return tool_refuse(error, "--model-file is missing");
    pictures = pictures_new(&training, error);
    if (pictures == NULL)
        return FALSE;
    session = ae_session_new(&training.options, watch, &progress, error);
    if (session == NULL)
        return FALSE;
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    return feed(session, &training, pictures, error);
}

const Command train_commands[] = {
    {"train", "train [OPTION...] -o MODEL.onnx FILE...",
     "trains a network on PNG and idx files", run_train},
    {0},
};
