/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands of `ae` share: their tables, the reading of arguments,
 * models and sizes, and progress. Each group of commands is a file with one
 * table. */
#pragma once

#include "ae.h"
#include "base/file.h"
#include "base/random.h"
#include "data/npy.h"
#include "data/png.h"
#include "kernels/kernels.h"
#include "model/safetensors.h"
#include "networks/architectures.h"
#include "video/resample.h"
#include "tools/figure.h"
#include "tools/neighbours.h"
#include "tools/pca.h"
#include "tools/quantize.h"

/* What one call of a command was given. */
typedef struct {
    const char *usage; /* of the command */
    int argc;          /* after tool_parse() the options are gone */
    char **argv;       /* argv[0] is the command's name */
    char *output;      /* the file of -o, where the usage names one */
} Arguments;

typedef struct {
    const char *name, *usage, *summary; /* name NULL: the table ends */
    gboolean (*run)(Arguments *args, GError **error);
} Command;

extern const Command model_commands[], run_commands[], embed_commands[],
    decode_commands[], resize_commands[], figure_commands[],
    weight_figure_commands[], decode_figure_commands[], train_commands[],
    samples_commands[];

typedef struct {
    int width, height;
} Size;

/* Reads the options @entries (NULL: none), and -o, without which it fails, if
 * the usage names it. From @min to @max arguments must be left. Errors of the
 * domain G_OPTION_ERROR mean wrong usage. */
gboolean tool_parse(Arguments *args, const GOptionEntry *entries, int min,
                    int max, GError **error);

/* Sets an error that means wrong usage, and returns FALSE. */
gboolean tool_refuse(GError **error, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* "WIDTHxHEIGHT"; NULL leaves @size. */
gboolean tool_parse_size(const char *text, Size *size, GError **error);

/* A path, or the name of a built-in model where there is no such file. */
AeModel *tool_load_model(const char *name, GError **error);

/* A plan for one image, of @size where the model leaves it open. */
AePlan *tool_plan(AeModel *model, Size size, AePool *pool, GError **error);

/* Shows, on a terminal alone, how far long work is and how many seconds are
 * left. Call it first with @done = 0; with @done = @all it clears the line. */
void tool_progress(int64_t done, int64_t all);

/* Writes what was drawn as a PNG file. */
gboolean tool_save_canvas(cairo_t *canvas, const char *path, GError **error);

/* How often larger @columns images of @width fill a picture: 1 to @most. */
int tool_choose_zoom(int width, int columns, int most);
