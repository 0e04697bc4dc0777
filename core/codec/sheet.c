/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "codec/sheet.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { MAX_BATCH = 64, DEFAULT_COUNT = 10 };

struct AeSheet {
    AeCodec *decoder;
    AePath path;
    int label, size; /* size: values of a code */
    float *given;    /* of that size, or NULL */
    float *code, *work;
};

int ae_sheet_batch(const AePath *path)
{
    int columns = ae_path_columns(path), rows = ae_path_rows(path);

    return MIN((columns > 0 ? columns : DEFAULT_COUNT) *
                   (rows > 0 ? rows : DEFAULT_COUNT),
               MAX_BATCH);
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

static gboolean take_latent(AeSheet *sheet, const char *text, GError **error)
{
    int n;

    if (text == NULL || *text == '\0')
        return TRUE;
    sheet->given = ae_alloc((size_t)sheet->size, sizeof(float), error);
    if (sheet->given == NULL)
        return FALSE;
    n = parse_numbers(text, sheet->given, sheet->size);
    if (n == sheet->size)
        return TRUE;
    if (n < 0)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "latent=%s, where numbers with commas between them were "
                    "expected",
                    text);
    else
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "latent holds %d numbers, but the code of the model has %d",
                    n, sheet->size);
    return FALSE;
}

static gboolean check(const AeSheet *sheet, GError **error)
{
    int classes = ae_codec_classes(sheet->decoder), label = sheet->label;

    if (sheet->path.mode == AE_PATH_GRID && sheet->size < 2)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "a grid needs codes of 2 values or more, but the code of "
                    "the model has 1");
    else if (label == AE_SHEET_RANDOM_LABEL || (label >= 0 && label < classes))
        return TRUE;
    else if (classes == 0)
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "the label is %d, but the model takes no label", label);
    else
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "the model knows the labels 0 to %d, but the label is %d",
                    classes - 1, label);
    return FALSE;
}

AeSheet *ae_sheet_new(AeCodec *decoder, const AeSheetOptions *options,
                      GError **error)
{
    g_autoptr(AeSheet) sheet = g_new0(AeSheet, 1);
    const AeTensor code = ae_codec_code(decoder, 0, 0);
    int64_t size = ae_shape_elements(&code.shape);

    if (size > G_MAXINT) {
        g_set_error(error, AE_ERROR, AE_ERROR_UNSUPPORTED,
                    "the code of the model has %" G_GINT64_FORMAT
                    " values, but at most %d are supported",
                    size, G_MAXINT);
        return NULL;
    }
    sheet->decoder = decoder;
    sheet->path = options->path;
    sheet->label = options->label;
    sheet->size = (int)size;
    sheet->code = ae_alloc((size_t)sheet->size, sizeof(float), error);
    if (sheet->code == NULL)
        return NULL;
    sheet->work = ae_alloc((size_t)sheet->size, sizeof(float), error);
    if (sheet->work == NULL || !take_latent(sheet, options->latent, error) ||
        !check(sheet, error))
        return NULL;
    return g_steal_pointer(&sheet);
}

void ae_sheet_free(AeSheet *sheet)
{
    if (sheet == NULL)
        return;
    ae_free(sheet->given);
    ae_free(sheet->code);
    ae_free(sheet->work);
    g_free(sheet);
}

const AePath *ae_sheet_path(const AeSheet *sheet)
{
    return &sheet->path;
}

int ae_sheet_label(const AeSheet *sheet, uint64_t number)
{
    int classes = ae_codec_classes(sheet->decoder);

    if (classes == 0)
        return -1;
    if (sheet->label != AE_SHEET_RANDOM_LABEL)
        return sheet->label;
    return ae_path_label(&sheet->path, number, classes);
}

/* Makes code @i of the picture the code @slot of the batch. */
static void set_code(AeSheet *sheet, const AePath *path, uint64_t number, int i,
                     int slot)
{
    AeTensor code = ae_codec_code(sheet->decoder, slot, 0);
    int label = ae_sheet_label(sheet, number);

    ae_path_code(path, number, i, sheet->given, sheet->size, sheet->code,
                 sheet->work);
    ae_tensor_from_row_major(&code, sheet->code);
    if (label >= 0)
        ae_codec_set_label(sheet->decoder, slot, label);
}

void ae_sheet_draw(AeSheet *sheet, uint64_t number, const AePicture *picture,
                   AeSheetStop stop, void *data)
{
    AeCodec *decoder = sheet->decoder;
    const AeShape image = ae_codec_image(decoder, 0).shape;
    int width = (int)image.dim[3], height = (int)image.dim[2];
    int batch = ae_codec_batch(decoder);
    AePath path = sheet->path;
    int n;

    path.columns = (unsigned)(picture->format.width / width);
    path.rows = (unsigned)(picture->format.height / height);
    n = (int)(path.columns * path.rows);
    ae_codec_clear_picture(picture);
    for (int first = 0; first < n && (stop == NULL || !stop(data));
         first += batch) {
        int last = MIN(first + batch, n);

        for (int i = first; i < last; i++)
            set_code(sheet, &path, number, i, i - first);
        ae_codec_run(decoder);
        for (int i = first; i < last; i++)
            ae_codec_get_picture(decoder, i - first, picture,
                                 i % (int)path.columns * width,
                                 i / (int)path.columns * height);
    }
}
