/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae decode`: the images that a decoder makes of codes, with noise or without.
 */
#include "tools/ae-codec.h"
#include "tools/ae-tool.h"

/* The rows of @path as codes of @model. */
static AeTensor *load_codes(AeModel *model, const char *path)
{
    g_autoptr(AeTensor) rows = tool_need(ae_npy_load(path, &tool_error));
    const AeShape shape = codec_shape(model);
    AeTensor *codes;

    tool_require(rows->shape.rank == 2 && rows->shape.dim[0] > 0 &&
                     rows->shape.dim[1] == ae_shape_elements(&shape),
                 "%s: rows of %" G_GINT64_FORMAT
                 " numbers were expected, as the model's codes have",
                 path, ae_shape_elements(&shape));
    codes = tool_new_rows(shape, rows->shape.dim[0]);
    ae_tensor_from_row_major(codes, rows->data);
    return codes;
}

static void add_noise(AeTensor *codes, const AeNoise *noise, uint64_t seed)
{
    int64_t n = codes->shape.dim[0];
    AeNoisePlane plane = {ae_shape_elements(&codes->shape) / n, 1, 1};

    for (int64_t i = 0; i < n; i++)
        tool_check(ae_noise_apply(noise, codes->data + i * plane.width,
                                  codes->data + i * plane.width, &plane, 1,
                                  seed, (uint64_t)i, &tool_error));
}

void run_decode(Arguments *args)
{
    g_autofree char *path = NULL, *text = NULL;
    gint64 seed = 1;
    const GOptionEntry entries[] = {
        codec_labels_option(&path),
        {"noise", 0, 0, G_OPTION_ARG_STRING, &text,
         "Adds noise to the codes, as aenoise to frames",
         "gaussian:sd=1,clip=false"},
        tool_seed_option(&seed, "Seed of the noise (default: 1)"),
        {0}};

    tool_parse(args, entries, 2, 2);
    g_autoptr(AeNoise) noise =
        tool_need(ae_noise_parse(text != NULL ? text : "none", &tool_error));
    g_autoptr(AeModel) model = codec_load(args->argv[1]);
    g_autoptr(AeTensor) codes = load_codes(model, args->argv[2]);
    ae_autofree uint8_t *labels = codec_load_labels(path, codes->shape.dim[0]);
    add_noise(codes, noise, (uint64_t)seed);
    g_autoptr(AeIdx) images = codec_decode_bytes(model, codes, labels);
    tool_check(ae_idx_save(images, args->output, &tool_error));
}
