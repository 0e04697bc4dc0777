/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions of training without GStreamer: learn, break off, resume, measure. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "ae.h"

enum { SIDE = 28, N = SIDE * SIDE };

static char *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

typedef struct {
    int events[AE_SESSION_MEASURED + 1];
    AeSessionFacts last;
    char *warning;
} Log;

static void watch(void *user, const AeSession *session, AeSessionEvent event,
                  const char *text)
{
    Log *log = user;

    log->events[event]++;
    log->last = ae_session_facts(session);
    if (event == AE_SESSION_WARNED)
        log->warning = g_strdup(text);
}

/* "option=value option=value ..." */
static AeSession *start(const char *text, Log *log, GError **error)
{
    g_auto(AeSessionOptions) options;
    g_auto(GStrv) settings = g_strsplit(text, " ", -1);

    memset(log, 0, sizeof *log);
    ae_session_options_init(&options);
    for (char **setting = settings; *setting != NULL; setting++) {
        char *value = strchr(*setting, '=');

        *value++ = '\0';
        g_assert_true(ae_session_options_set(&options, *setting, value, NULL));
    }
    return ae_session_new(&options, watch, log, error);
}

/* Picture @i: stripes. */
static gboolean push(AeSession *session, int i, GError **error)
{
    uint8_t data[N];
    AePicture picture = ae_picture_of_bytes(data, SIDE, SIDE, 1);

    for (int j = 0; j < N; j++)
        data[j] = (uint8_t)((j / SIDE + i) % (i % 5 + 2) == 0 ? 230 - i : i);
    return ae_session_push(session, &picture, -1, error);
}

/* Pictures from @first to @last - 1; FALSE: an error came. */
static gboolean push_all(AeSession *session, int first, int last,
                         GError **error)
{
    for (int i = first; i < last && !ae_session_is_done(session); i++)
        if (!push(session, i, error))
            return FALSE;
    return TRUE;
}

static void run(const char *text, int n, Log *log)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AeSession) session = start(text, log, &error);

    g_assert_no_error(error);
    push_all(session, 0, n, &error);
    g_assert_no_error(error);
    ae_session_finish(session, &error);
    g_assert_no_error(error);
}

static void assert_same_files(const char *a, const char *b)
{
    g_autofree char *x = NULL, *y = NULL;
    gsize n, m;

    g_assert_true(g_file_get_contents(a, &x, &n, NULL));
    g_assert_true(g_file_get_contents(b, &y, &m, NULL));
    g_assert_cmpmem(x, n, y, m);
}

#define RECIPE                                                                 \
    "task=denoise batch-size=4 shuffle-buffer=9 augment=true "                 \
    "validate-every=7 loss=bce "

static void test_events(void)
{
    Log log;

    run(RECIPE "max-steps=12", 1000, &log);
    g_assert_cmpint(log.events[AE_SESSION_BUILT], ==, 1);
    g_assert_cmpint(log.events[AE_SESSION_RESUMED], ==, 0);
    g_assert_cmpint(log.events[AE_SESSION_STARTED], ==, 1);
    g_assert_cmpint(log.events[AE_SESSION_STEPPED], ==, 12);
    g_assert_cmpint(log.events[AE_SESSION_PROGRESS], >=, 1);
    g_assert_cmpint(log.events[AE_SESSION_VALIDATED], ==, 1);
    g_assert_cmpint(log.events[AE_SESSION_ENDED], ==, 1);
    g_assert_cmpint(log.events[AE_SESSION_SAVED], ==, 0); /* no file named */
    g_assert_cmpint(log.last.step, ==, 12);
    g_assert_cmpint(log.last.images, ==, 48);
    g_assert_cmpfloat(log.last.loss.total, >, 0);
    g_assert_false(isnan(log.last.validation_loss));
}

/* The number of threads does not matter, nor does a break, wherever it is. */
static void test_resume(void)
{
    g_autofree char *whole = in_folder("whole.onnx");
    g_autofree char *broken = in_folder("broken.onnx");
    g_autofree char *one =
        g_strdup_printf(RECIPE "threads=1 model-file=%s", whole);
    g_autofree char *two =
        g_strdup_printf(RECIPE "threads=2 resume=true model-file=%s", broken);
    g_autofree char *checkpoint = in_folder("broken.onnx.safetensors");
    static const int breaks[] = {13, 37, 90};
    Log log;

    run(one, 90, &log);
    for (size_t i = 0; i < G_N_ELEMENTS(breaks); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AeSession) session = start(two, &log, &error);

        push_all(session, 0, breaks[i], &error);
        if (i + 1 < G_N_ELEMENTS(breaks))
            ae_session_save(session, &error);
        else
            ae_session_finish(session, &error);
        g_assert_no_error(error);
        g_assert_cmpint(log.events[AE_SESSION_RESUMED], ==, i > 0);
        g_assert_true(g_file_test(checkpoint, G_FILE_TEST_EXISTS) || i == 0);
    }
    assert_same_files(whole, broken);
}

/* A run resumes with the options that it began with, and no others. */
static void test_resume_with_others(void)
{
    static const struct {
        const char *option, *sentence; /* NULL: the option may change */
    } cases[] = {
        {"noise=gaussian:sd=0.1", NULL}, /* the default of task=denoise */
        {"threads=2", NULL},
        {"max-steps=3", NULL},
        {"noise=gaussian:sd=0.2", "with noise=gaussian:sd=0.1, not noise="},
        {"task=autoencode", "with task=denoise, not task=autoencode"},
        {"loss=l1", "with loss=mse, not loss=l1"},
        {"augment=true", "with augment=false, not augment=true"},
        {"shuffle-buffer=5", "with shuffle-buffer=0, not shuffle-buffer=5"},
        {"learning-rate=0.002", "with learning-rate=0.001"},
        {"seed=2", "with seed=1, not seed=2"},
        {"batch-size=5", "with batch-size=4, not batch-size=5"},
    };
    g_autofree char *model = in_folder("others.onnx");
    g_autofree char *begin = g_strdup_printf(
        "task=denoise batch-size=4 max-steps=2 model-file=%s", model);
    Log log;

    run(begin, 20, &log);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strdup_printf("%s resume=true %s", begin, cases[i].option);
        g_autoptr(GError) error = NULL;
        g_autoptr(AeSession) session = start(text, &log, &error);

        g_assert_no_error(error);
        push(session, 0, &error);
        if (cases[i].sentence == NULL) {
            g_assert_no_error(error);
            continue;
        }
        g_assert_error(error, AE_ERROR, AE_ERROR_VALUE);
        if (strstr(error->message, cases[i].sentence) == NULL)
            g_error("%s: %s", cases[i].option, error->message);
    }
}

static void test_evaluate(void)
{
    g_autofree char *model = in_folder("measured.onnx");
    g_autofree char *learn =
        g_strdup_printf("loss=bce batch-size=8 model-file=%s", model);
    g_autofree char *measure = g_strdup_printf(
        "loss=bce batch-size=7 mode=evaluate model-file=%s", model);
    Log log;

    run(learn, 80, &log);
    g_assert_cmpint(log.last.step, ==, 10);
    run(measure, 20, &log);
    g_assert_cmpint(log.events[AE_SESSION_MEASURED], ==, 1);
    g_assert_cmpint(log.events[AE_SESSION_STEPPED], ==, 0);
    g_assert_cmpint(log.last.images, ==, 20);
    g_assert_cmpfloat(log.last.loss.total, <, 0.69);
    g_assert_cmpfloat(log.last.mse, >, 0);
}

/* keep-best without a full batch to measure on says that nothing is written. */
static void test_warning(void)
{
    g_autofree char *model = in_folder("unwritten.onnx");
    g_autofree char *text = g_strdup_printf(
        "keep-best=true validate-every=9 batch-size=8 model-file=%s", model);
    Log log;

    run(text, 20, &log);
    g_assert_nonnull(strstr(log.warning, "no model was written"));
    g_assert_false(g_file_test(model, G_FILE_TEST_EXISTS));
    g_free(log.warning);
}

static void test_errors(void)
{
    static const struct {
        const char *text;
        int code;
        const char *sentence;
    } cases[] = {
        {"schedule=cosine", AE_ERROR_VALUE, "needs max-steps"},
        {"keep-best=true", AE_ERROR_VALUE, "needs validate-every"},
        {"mode=evaluate", AE_ERROR_VALUE, "needs a model-file"},
        {"model-file=/nonexistent/m.onnx", AE_ERROR_FILE, "/nonexistent"},
        {"architecture=none", AE_ERROR_VALUE, "no architecture is called"},
        {"model-file=/tmp/same checkpoint-file=/tmp/./same", AE_ERROR_VALUE,
         "are one file"},
        {"architecture=unet-xs", AE_ERROR_SHAPE, "multiples of 8"},
        {"patch-size=64", AE_ERROR_SHAPE, "smaller than a patch"},
        {"task=superres scale=3", AE_ERROR_SHAPE, "by scale=3"},
        {"conditional=true task=vae batch-size=2", AE_ERROR_VALUE,
         "has no label"},
        {"batch-size=2 optimizer=sgd learning-rate=1000 architecture=unet-xs "
         "patch-size=16",
         AE_ERROR_DIVERGED, "diverged"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        Log log;
        g_autoptr(AeSession) session = start(cases[i].text, &log, &error);

        if (session != NULL)
            g_assert_false(push_all(session, 0, 400, &error));
        g_assert_error(error, AE_ERROR, cases[i].code);
        if (strstr(error->message, cases[i].sentence) == NULL)
            g_error("%s: %s", cases[i].text, error->message);
    }
}

/* What was learnt before the pictures changed their size is saved. */
static void test_size_changes(void)
{
    g_autofree char *model = in_folder("sizes.onnx");
    g_autofree char *text =
        g_strdup_printf("batch-size=2 model-file=%s", model);
    uint8_t data[40 * 40] = {0};
    AePicture larger = ae_picture_of_bytes(data, 40, 40, 1);
    g_autoptr(GError) error = NULL, none = NULL;
    Log log;
    g_autoptr(AeSession) session = start(text, &log, &none);

    push_all(session, 0, 6, &none);
    g_assert_no_error(none);
    g_assert_false(ae_session_push(session, &larger, -1, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
    ae_session_save(session, &none);
    g_assert_no_error(none);
    g_assert_true(g_file_test(model, G_FILE_TEST_EXISTS));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("ae-session-XXXXXX", NULL);
    g_test_add_func("/session/events", test_events);
    g_test_add_func("/session/resume", test_resume);
    g_test_add_func("/session/resume-with-others", test_resume_with_others);
    g_test_add_func("/session/evaluate", test_evaluate);
    g_test_add_func("/session/warning", test_warning);
    g_test_add_func("/session/errors", test_errors);
    g_test_add_func("/session/size-changes", test_size_changes);
    int result = g_test_run();
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = in_folder(name);
        g_remove(path);
    }
    g_rmdir(folder);
    g_free(folder);
    return result;
}
