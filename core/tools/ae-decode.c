/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae decode`: the images that a decoder makes of codes, with noise or without.
 */
#include "tools/ae-codec.h"
#include "tools/ae-tool.h"

/* The rows of @path as codes of @codec. */
static AeTensor *load_codes(const Codec *codec, const char *path,
                            GError **error)
{
    g_autoptr(AeTensor) rows = ae_npy_load(path, error);
    AeShape shape;
    AeTensor *codes;

    if (rows == NULL || !codec_shape(codec, &shape, error))
        return NULL;
    if (rows->shape.rank != 2 || rows->shape.dim[0] < 1 ||
        rows->shape.dim[1] != ae_shape_elements(&shape)) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "%s: rows of %" G_GINT64_FORMAT
                    " numbers were expected, as the model's codes have",
                    path, ae_shape_elements(&shape));
        return NULL;
    }
    shape.dim[0] = rows->shape.dim[0];
    codes = ae_tensor_new(&shape, error);
    if (codes != NULL)
        ae_tensor_from_row_major(codes, rows->data);
    return codes;
}

static gboolean add_noise(AeTensor *codes, const AeNoise *noise, uint64_t seed,
                          GError **error)
{
    int64_t n = codes->shape.dim[0];
    AeNoisePlane plane = {ae_shape_elements(&codes->shape) / n, 1, 1};

    for (int64_t i = 0; i < n; i++)
        if (!ae_noise_apply(noise, codes->data + i * plane.width,
                            codes->data + i * plane.width, &plane, 1, seed,
                            (uint64_t)i, error))
            return FALSE;
    return TRUE;
}

static gboolean run_decode(Arguments *args, GError **error)
{
    g_autofree char *label_path = NULL, *text = NULL;
    gint64 seed = 1;
    const GOptionEntry entries[] = {
        {"labels", 0, 0, G_OPTION_ARG_FILENAME, &label_path,
         "Labels of the images, for a conditional model", "LABELS.idx"},
        {"noise", 0, 0, G_OPTION_ARG_STRING, &text,
         "Adds noise to the codes, as aenoise to frames",
         "gaussian:sd=1,clip=false"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed,
         "Seed of the noise (default: 1)", "N"},
        {0}};
    g_autoptr(AeNoise) noise = NULL;
    g_autoptr(Codec) codec = NULL;
    g_autoptr(AeTensor) codes = NULL;
    g_autoptr(AeIdx) labels = NULL, images = NULL;

    if (!tool_parse(args, entries, 2, 2, error))
        return FALSE;
    noise = ae_noise_parse(text != NULL ? text : "none", error);
    if (noise != NULL)
        codec = codec_load(args->argv[1], error);
    if (codec != NULL)
        codes = load_codes(codec, args->argv[2], error);
    if (codes == NULL)
        return FALSE;
    labels = codec_load_labels(label_path, codes->shape.dim[0], error);
    if ((label_path != NULL && labels == NULL) ||
        !add_noise(codes, noise, (uint64_t)seed, error))
        return FALSE;
    images = codec_decode_bytes(codec, codes,
                                labels != NULL ? labels->data : NULL, error);
    return images != NULL && ae_idx_save(images, args->output, error);
}

const Command decode_commands[] = {
    {"decode", "decode MODEL CODES.npy -o IMAGES.idx",
     "writes the images that a decoder makes of codes", run_decode},
    {0},
};
