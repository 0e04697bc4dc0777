/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaecodes.h"

#include "ae.h"
#include "gstaeproperties.h"

/* The part of the seed that labels come from. */
#define LABELS 1

GType gst_ae_codes_mode_get_type(void)
{
    static const GEnumValue values[] = {
        {GST_AE_CODES_RANDOM, "A random code for each frame", "random"},
        {GST_AE_CODES_WALK, "From one random code to the next", "walk"},
        {GST_AE_CODES_GRID, "A sheet over the first two values", "grid"},
        {GST_AE_CODES_TRAVERSE, "Over one value after the other", "traverse"},
        {0}};
    static gsize type;

    return gst_ae_enum_type(&type, "GstAeCodesMode", values);
}

int gst_ae_codes_columns(const GstAeCodes *codes)
{
    return codes->mode == GST_AE_CODES_GRID ? (int)codes->columns : 1;
}

int gst_ae_codes_rows(const GstAeCodes *codes)
{
    return codes->mode == GST_AE_CODES_GRID ? (int)codes->rows : 1;
}

static void draw(const GstAeCodes *codes, guint64 number, int size, float *code)
{
    AeRandom random = ae_random(codes->seed, number);

    ae_random_normals(&random, code, size);
    for (int k = 0; k < size; k++)
        code[k] *= codes->temperature;
}

static void walk(const GstAeCodes *codes, guint64 frame, int size, float *code,
                 float *work)
{
    guint64 step = frame / codes->frames_per_step;
    guint64 within = frame % codes->frames_per_step;

    draw(codes, step, size, code);
    draw(codes, step + 1, size, work);
    ae_latent_slerp(code, code, work, size,
                    (double)within / codes->frames_per_step);
}

static void place(const GstAeCodes *codes, int i, float *code)
{
    int columns = (int)codes->columns;

    code[0] = ae_latent_between(codes->range_min, codes->range_max, i / columns,
                                (int)codes->rows);
    code[1] = ae_latent_between(codes->range_min, codes->range_max, i % columns,
                                columns);
}

static void traverse(const GstAeCodes *codes, guint64 frame, int size,
                     float *code)
{
    guint64 value = frame / codes->frames_per_step % (guint64)size;

    code[value] = ae_latent_between(codes->range_min, codes->range_max,
                                    (int)(frame % codes->frames_per_step),
                                    (int)codes->frames_per_step);
}

void gst_ae_codes_make(const GstAeCodes *codes, guint64 frame, int i,
                       const float *given, int size, float *code, float *work)
{
    for (int k = 0; k < size; k++)
        code[k] = given != NULL ? given[k] : 0;
    if (codes->mode == GST_AE_CODES_GRID)
        place(codes, i, code);
    else if (codes->mode == GST_AE_CODES_TRAVERSE)
        traverse(codes, frame, size, code);
    else if (given == NULL && codes->mode == GST_AE_CODES_WALK)
        walk(codes, frame, size, code, work);
    else if (given == NULL)
        draw(codes, frame, size, code);
}

int gst_ae_codes_label(const GstAeCodes *codes, guint64 frame, int classes)
{
    gboolean steps = codes->mode == GST_AE_CODES_WALK ||
                     codes->mode == GST_AE_CODES_TRAVERSE;
    AeRandom random = ae_random(ae_random_mix(codes->seed, LABELS),
                                steps ? frame / codes->frames_per_step : frame);

    return (int)ae_random_below(&random, (uint32_t)classes);
}
