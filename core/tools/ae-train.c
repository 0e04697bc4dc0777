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

/* What the session reports becomes lines; progress on a terminal is a line of
 * its own (show_progress()). */
static void watch(void *user G_GNUC_UNUSED,
                  const AeSession *session G_GNUC_UNUSED, AeSessionEvent event,
                  const char *text)
{
    static gint64 last;
    gint64 now = g_get_monotonic_time();

    if (event == AE_SESSION_STEPPED)
        return;
    if (event == AE_SESSION_PROGRESS) {
        if (isatty(STDERR_FILENO) || now - last < INTERVAL)
            return;
        last = now;
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

static void feed(AeSession *session, const Training *training,
                 Pictures *pictures)
{
    uint64_t total = pictures_total(pictures);

    tool_progress(0, 1);
    for (uint64_t i = 0;
         i < total && !interrupted && !ae_session_is_done(session); i++) {
        AePicture picture;
        int label;

        show_progress(session, training, i, total);
        picture = pictures_read(pictures, i, &label);
        tool_check(ae_session_push(session, &picture, label, &tool_error));
    }
    tool_progress(1, 1);
}

void run_train(Arguments *args)
{
    g_auto(Training) training = training_parse(args);

    tool_usage(training.options.model_file != NULL, "--model-file is missing");
    g_autoptr(Pictures) pictures = pictures_new(&training);
    g_autoptr(AeSession) session =
        tool_need(ae_session_new(&training.options, watch, NULL, &tool_error));
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    feed(session, &training, pictures);
    if (!interrupted) {
        tool_check(ae_session_finish(session, &tool_error));
        return;
    }
    tool_check(ae_session_save(session, &tool_error));
    printf("interrupted after step %" G_GINT64_FORMAT
           ": --resume continues from there\n",
           ae_session_facts(session).step);
}
