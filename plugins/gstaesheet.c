/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaesheet.h"

#include <math.h>

#include "gstaedecoder.h"
#include "gstaelabel.h"

#define MAX_BATCH 64        /* images that are decoded at once */
#define MAX_SIZE G_MAXINT16 /* of a frame's side */
#define DEFAULT_COUNT 10    /* of columns or rows that nobody decides */

/* A model that is ready to decode; counted by g_rc_box. */
typedef struct {
    GstAeModel *model;
    GstAeDecoder *decoder;
} Runner;

struct GstAeSheet {
    Runner *runner;
    GstAeCodes codes;
    int label;
    float *given; /* the property `latent`, or NULL */
    float *code, *work;
};

GstAeSheetSettings
gst_ae_sheet_settings_copy(const GstAeSheetSettings *settings)
{
    GstAeSheetSettings copy = *settings;

    copy.model = gst_ae_model_settings_copy(&settings->model);
    copy.latent = g_strdup(settings->latent);
    return copy;
}

void gst_ae_sheet_settings_clear(GstAeSheetSettings *settings)
{
    gst_ae_model_settings_clear(&settings->model);
    g_clear_pointer((char **)&settings->latent, g_free);
}

static void runner_clear(gpointer data)
{
    Runner *runner = data;

    gst_ae_decoder_free(runner->decoder);
    if (runner->model != NULL)
        gst_ae_model_unref(runner->model);
}

static void runner_release(Runner *runner)
{
    g_rc_box_release_full(runner, runner_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Runner, runner_release)

static int count_or_default(int count)
{
    return count > 0 ? count : DEFAULT_COUNT;
}

static int batch_of(const GstAeCodes *codes)
{
    return MIN(count_or_default(gst_ae_codes_columns(codes)) *
                   count_or_default(gst_ae_codes_rows(codes)),
               MAX_BATCH);
}

static Runner *runner_new(const GstAeSheetSettings *settings, GError **error)
{
    g_autoptr(Runner) runner = g_rc_box_new0(Runner);
    const GstAeModelSettings *model = &settings->model;

    runner->model = gst_ae_model_load(model->model_file, model->model,
                                      model->precision, error);
    if (runner->model == NULL)
        return NULL;
    runner->decoder =
        gst_ae_decoder_new(runner->model, NULL, batch_of(&settings->codes),
                           (int)model->threads, model->precision, error);
    return runner->decoder != NULL ? g_steal_pointer(&runner) : NULL;
}

/* How many finite numbers @text holds, separated by commas; -1: not only such.
 * The first @size of them go to @target. */
static int parse_numbers(const char *text, float *target, int size)
{
    for (int n = 0;; text++) {
        char *end;
        double number = g_ascii_strtod(text, &end);

        if (end == text || !isfinite((float)number))
            return -1;
        if (n < size)
            target[n] = (float)number;
        n++;
        text = end + strspn(end, " ");
        if (*text == '\0')
            return n;
        if (*text != ',')
            return -1;
    }
}

static gboolean take_latent(GstAeSheet *sheet, const char *text, GError **error)
{
    int size = gst_ae_decoder_size(sheet->runner->decoder), n;

    if (text == NULL || *text == '\0')
        return TRUE;
    sheet->given = g_new(float, (gsize)size);
    n = parse_numbers(text, sheet->given, size);
    if (n == size)
        return TRUE;
    if (n < 0)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "latent=%s, where numbers with commas between them were "
                    "expected",
                    text);
    else
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "latent holds %d numbers, but the code of model '%s' has "
                    "%d",
                    n, sheet->runner->model->label, size);
    return FALSE;
}

static gboolean check_label(const GstAeSheet *sheet, GError **error)
{
    const GstAeModel *model = sheet->runner->model;

    if (sheet->label == GST_AE_SHEET_RANDOM_LABEL)
        return TRUE;
    if (model->metadata.classes > 0)
        return gst_ae_label_choose(model, sheet->label, NULL, error) >= 0;
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "the property label is %d, but model '%s' takes no label",
                sheet->label, model->label);
    return FALSE;
}

static gboolean check_grid(const GstAeSheet *sheet, GError **error)
{
    const GstAeDecoder *decoder = sheet->runner->decoder;
    int columns = gst_ae_codes_columns(&sheet->codes);
    int rows = gst_ae_codes_rows(&sheet->codes);
    int width = gst_ae_decoder_width(decoder);
    int height = gst_ae_decoder_height(decoder);

    if (columns * width > MAX_SIZE || rows * height > MAX_SIZE) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "%d columns and %d rows of images of %dx%d make a frame "
                    "that is larger than %dx%d",
                    columns, rows, width, height, MAX_SIZE, MAX_SIZE);
        return FALSE;
    }
    if (sheet->codes.mode != GST_AE_CODES_GRID ||
        gst_ae_decoder_size(decoder) >= 2)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "mode=grid needs codes of 2 values or more, but that of model "
                "'%s' has 1",
                sheet->runner->model->label);
    return FALSE;
}

/* The runner of @old, if it still does. */
static Runner *reuse(const GstAeSheet *old, const GstAeSheetSettings *settings)
{
    if (old == NULL || batch_of(&old->codes) != batch_of(&settings->codes))
        return NULL;
    return g_rc_box_acquire(old->runner);
}

static gboolean prepare(GstAeSheet *sheet, const GstAeSheetSettings *settings,
                        GError **error)
{
    gsize size = (gsize)gst_ae_decoder_size(sheet->runner->decoder);

    sheet->codes = settings->codes;
    sheet->label = settings->label;
    sheet->code = g_new(float, size);
    sheet->work = g_new(float, size);
    return take_latent(sheet, settings->latent, error) &&
           check_label(sheet, error) && check_grid(sheet, error);
}

GstAeSheet *gst_ae_sheet_new(const GstAeSheetSettings *settings,
                             const GstAeSheet *old, GError **error)
{
    GstAeSheet *sheet = g_new0(GstAeSheet, 1);

    sheet->runner = reuse(old, settings);
    if (sheet->runner == NULL)
        sheet->runner = runner_new(settings, error);
    if (sheet->runner != NULL && prepare(sheet, settings, error))
        return sheet;
    gst_ae_sheet_free(sheet);
    return NULL;
}

void gst_ae_sheet_free(GstAeSheet *sheet)
{
    if (sheet == NULL)
        return;
    if (sheet->runner != NULL)
        runner_release(sheet->runner);
    g_free(sheet->given);
    g_free(sheet->code);
    g_free(sheet->work);
    g_free(sheet);
}

/* As many images of @size as a side has room for. */
static void set_any_count(GstCaps *caps, const char *field, int size)
{
    g_auto(GValue) range = G_VALUE_INIT;
    int most = MAX_SIZE / size * size;

    if (most == size) {
        gst_caps_set_simple(caps, field, G_TYPE_INT, size, NULL);
        return;
    }
    g_value_init(&range, GST_TYPE_INT_RANGE);
    gst_value_set_int_range_step(&range, size, most, size);
    gst_caps_set_value(caps, field, &range);
}

GstCaps *gst_ae_sheet_caps(const GstAeSheet *sheet)
{
    const GstAeDecoder *decoder = sheet->runner->decoder;
    int columns = gst_ae_codes_columns(&sheet->codes);
    int rows = gst_ae_codes_rows(&sheet->codes);
    GstCaps *caps = gst_ae_decoder_caps(decoder, columns, rows);

    if (columns == 0)
        set_any_count(caps, "width", gst_ae_decoder_width(decoder));
    if (rows == 0)
        set_any_count(caps, "height", gst_ae_decoder_height(decoder));
    return caps;
}

void gst_ae_sheet_fixate(const GstAeSheet *sheet, GstStructure *caps)
{
    const GstAeDecoder *decoder = sheet->runner->decoder;

    gst_structure_fixate_field_nearest_int(
        caps, "width", DEFAULT_COUNT * gst_ae_decoder_width(decoder));
    gst_structure_fixate_field_nearest_int(
        caps, "height", DEFAULT_COUNT * gst_ae_decoder_height(decoder));
}

int gst_ae_sheet_label(const GstAeSheet *sheet, guint64 number)
{
    int classes = gst_ae_decoder_classes(sheet->runner->decoder);

    if (classes == 0)
        return -1;
    if (sheet->label != GST_AE_SHEET_RANDOM_LABEL)
        return sheet->label;
    return gst_ae_codes_label(&sheet->codes, number, classes);
}

/* Images @first, @first + 1, ... of the frame, as many as the model takes. */
static void draw_some(GstAeSheet *sheet, const GstAeCodes *codes,
                      guint64 number, int first, int n, GstVideoFrame *frame)
{
    GstAeDecoder *decoder = sheet->runner->decoder;
    int columns = (int)codes->columns;
    int label = gst_ae_sheet_label(sheet, number);

    for (int i = 0; i < n; i++) {
        gst_ae_codes_make(codes, number, first + i, sheet->given,
                          gst_ae_decoder_size(decoder), sheet->code,
                          sheet->work);
        gst_ae_decoder_set_code(decoder, i, sheet->code);
        if (label >= 0)
            gst_ae_decoder_set_label(decoder, i, label);
    }
    gst_ae_decoder_run(decoder);
    for (int i = 0; i < n; i++)
        gst_ae_decoder_write(
            decoder, i, frame,
            (first + i) % columns * gst_ae_decoder_width(decoder),
            (first + i) / columns * gst_ae_decoder_height(decoder));
}

void gst_ae_sheet_draw(GstAeSheet *sheet, guint64 number, GstVideoFrame *frame,
                       GstPad *pad)
{
    const GstAeDecoder *decoder = sheet->runner->decoder;
    int batch = gst_ae_decoder_batch(decoder);
    int columns = GST_VIDEO_FRAME_WIDTH(frame) / gst_ae_decoder_width(decoder);
    int rows = GST_VIDEO_FRAME_HEIGHT(frame) / gst_ae_decoder_height(decoder);
    int n = columns * rows;
    GstAeCodes codes = sheet->codes;

    codes.columns = (guint)columns;
    codes.rows = (guint)rows;
    gst_ae_decoder_clear(frame);
    for (int first = 0; first < n && !GST_PAD_IS_FLUSHING(pad); first += batch)
        draw_some(sheet, &codes, number, first, MIN(batch, n - first), frame);
}
