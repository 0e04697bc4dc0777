/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands of `ae` share: their tables, and the reading of arguments,
 * models and sizes. Each group of commands is a file with one table. */
#pragma once

#include "ae.h"
#include "tools/figure.h"
#include "tools/neighbours.h"
#include "tools/pca.h"
#include "tools/quantize.h"

typedef struct {
    const char *name, *arguments, *summary; /* name NULL: the table ends */
    gboolean (*run)(int argc, char **argv, const char *usage, GError **error);
} Command;

extern const Command model_commands[], run_commands[], embed_commands[],
    decode_commands[], figure_commands[], resize_commands[];
extern const Command decode_figures[], weight_figures[]; /* of `ae figure` */

typedef struct {
    int width, height;
} Size;

/* Reads the options; what is left in @argv are @min to @max arguments. Errors
 * of the domain G_OPTION_ERROR mean wrong usage. */
gboolean tool_parse(const GOptionEntry *entries, const char *usage, int min,
                    int max, int *argc, char ***argv, GError **error);

/* FALSE, as wrong usage, where @option is NULL. */
gboolean tool_require(const char *option, const char *problem, GError **error);

/* "WIDTHxHEIGHT"; NULL leaves @size. */
gboolean tool_parse_size(const char *text, Size *size, GError **error);

/* A path, or the name of a built-in model where there is no such file. */
AeModel *tool_load_model(const char *name, GError **error);

/* A plan for one image, of @size where the model leaves it open. */
AePlan *tool_plan(AeModel *model, Size size, AePool *pool, GError **error);

/* Writes what was drawn as a PNG file. */
gboolean tool_save_canvas(cairo_t *canvas, const char *path, GError **error);

/* How often larger @columns images of @width fill a picture: 1 to @most. */
int tool_choose_zoom(int width, int columns, int most);
