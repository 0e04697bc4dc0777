/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae`: the core's command line. A new command is a row of the table and a
 * function of the type Run.
 *
 * Exit status: 0; 1 with a sentence on standard error; 2 for wrong usage. */
#include <stdio.h>
#include <string.h>

#include "tools/ae-tool.h"

static const struct {
    const char *name, *arguments, *summary;
    void (*run)(Arguments *args);
} commands[] = {
    {"info", "MODEL", "layers, metadata, work and memory of a model", run_info},
    {"check", "MODEL...",
     "tells whether models run here, or which node does not", run_check},
    {"split", "MODEL -o BASE", "writes encoder and decoder as two files",
     run_split},
    {"new", "ARCHITECTURE -o MODEL.onnx",
     "writes a network with random weights", run_new},
    {"import", "FILE.safetensors -o MODEL.onnx",
     "writes the network whose weights a file holds", run_import},
    {"quantize", "MODEL --calibrate FILE... -o OUT.onnx",
     "converts a model to 8 bits (QDQ)", run_quantize},
    {"run", "MODEL IN.safetensors OUT.safetensors",
     "runs a model on tensors that are named as its inputs", run_run},
    {"bench", "MODEL", "frames a second, and the part of the processor's peak",
     run_bench},
    {"embed", "MODEL IMAGES.idx -o CODES.npy",
     "writes the codes of images, a row an image", run_embed},
    {"pca", "IMAGES.idx -k K -o MODEL.onnx",
     "writes principal components as a linear autoencoder", run_pca},
    {"knn", "CODES LABELS.idx TEST-CODES TEST-LABELS.idx",
     "accuracy of a vote of the nearest rows; CODES is npy or idx", run_knn},
    {"error", "MODEL IMAGES.idx [FOREIGN.idx]",
     "mean squared error of reconstructions; rank of a foreign image",
     run_error},
    {"decode", "MODEL CODES.npy -o IMAGES.idx",
     "writes the images that a decoder makes of codes", run_decode},
    {"noise-level", "PICTURE.png...",
     "measures the noise in pictures, where 255 is white", run_noise_level},
    {"resize", "WIDTHxHEIGHT IN.png OUT.png",
     "resizes a picture, bicubic as MATLAB's imresize", run_resize},
    {"figure grid", "ROWSxCOLUMNS IMAGE... -o OUT.png", "images side by side",
     run_grid},
    {"figure difference", "A.png B.png -o OUT.png",
     "the difference of two images: gray where they are equal", run_difference},
    {"figure scatter", "LABELS.idx CODES.npy... -o OUT.png",
     "a dot for each code at its first two values, coloured by label",
     run_scatter},
    {"figure curves", "LOG... -o OUT.png",
     "losses against steps, from logs of gst-launch-1.0 -m", run_curves},
    {"figure weights", "MODEL -o OUT.png",
     "the weights of the first layer, as tiles", run_weights},
    {"figure manifold", "MODEL -o OUT.png",
     "decodes a plane of latents of two values", run_manifold},
    {"figure interpolate", "MODEL IMAGES.idx A B -o OUT.png",
     "decodes the line between the latents of two images", run_interpolate},
    {"figure labels", "MODEL -o OUT.png",
     "decodes the same random latents with each label", run_labels},
    {"train", "[OPTION...] -o MODEL.onnx FILE...",
     "trains a network on PNG and idx files", run_train},
    {"samples", "[OPTION...] FILE...",
     "writes what a network would learn from, for other trainers", run_samples},
};

static char *usage_of(gsize i)
{
    return g_strdup_printf("%s %s", commands[i].name, commands[i].arguments);
}

static int print_usage(FILE *file)
{
    g_autofree char *models = g_strjoinv(", ", (char **)ae_builtin_names());
    g_autofree char *networks =
        g_strjoinv(", ", (char **)ae_architecture_names());

    fputs("usage:\n", file);
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *usage = usage_of(i);

        fprintf(file, "  ae %-49s %s\n", usage, commands[i].summary);
    }
    fprintf(file,
            "\nMODEL is an ONNX file or the name of a built-in model (%s).\n"
            "ARCHITECTURE is one of: %s.\n"
            "'ae COMMAND --help' lists the options of a command.\n",
            *models != '\0' ? models : "none", networks);
    return file == stdout ? 0 : 2;
}

/* Runs the command that the arguments begin with; its name has one word or
 * two. FALSE: there is no such command. */
static gboolean run_command(int argc, char **argv)
{
    g_autofree char *two = g_strjoin(" ", argv[1], argv[2], NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        const int words = strchr(commands[i].name, ' ') != NULL ? 2 : 1;

        if (strcmp(words == 2 ? two : argv[1], commands[i].name) != 0)
            continue;
        g_autofree char *usage = usage_of(i);
        Arguments args = {usage, argc - words, argv + words, NULL};
        commands[i].run(&args);
        g_free(args.output);
        return TRUE;
    }
    return FALSE;
}

int main(int argc, char **argv)
{
    g_set_prgname("ae");
    if (argc > 1 && run_command(argc, argv))
        return 0;
    return print_usage(
        argc > 1 && strcmp(argv[argc - 1], "--help") == 0 ? stdout : stderr);
}
