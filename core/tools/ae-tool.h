/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands of `ae` share: the reading of arguments, files and sizes,
 * the end of the program after an error, and progress. */
#pragma once

#include "ae.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "data/npy.h"
#include "data/png.h"
#include "kernels/kernels.h"
#include "model/safetensors.h"
#include "networks/architectures.h"
#include "networks/import.h"
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

/* A command does all that its arguments ask for, or ends the program: no
 * function here that can fail returns after it did. */
typedef void Run(Arguments *args);

Run run_info, run_check, run_split, run_new, run_import, run_quantize, run_run,
    run_bench, run_embed, run_pca, run_knn, run_error, run_decode, run_resize,
    run_grid, run_noise_level, run_difference, run_scatter, run_curves,
    run_weights, run_manifold, run_interpolate, run_labels, run_train,
    run_samples;

typedef struct {
    int width, height;
} Size;

/* Where functions of the core leave their errors. */
extern GError *tool_error;

/* Ends the program with the sentence of tool_error unless @done. */
void tool_check(gboolean done);

/* @result; where it is NULL the program ends with the sentence of
 * tool_error. */
void *tool_need(void *result);

/* End the program with a sentence unless what it asks for is so: of files and
 * models, and of the way the command was called, which has an exit status of
 * its own. */
void tool_require(gboolean good, const char *format, ...) G_GNUC_PRINTF(2, 3);
void tool_usage(gboolean good, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Options that take a whole number. */
GOptionEntry tool_int_option(const char *name, int *value, const char *about);
GOptionEntry tool_seed_option(gint64 *seed, const char *about);

/* Reads the options @entries (NULL: none), and -o, without which the call is
 * wrong, if the usage names it. From @min to @max arguments must be left. */
void tool_parse(Arguments *args, const GOptionEntry *entries, int min, int max);

/* "WIDTHxHEIGHT"; NULL leaves @size. */
void tool_parse_size(const char *text, Size *size);

/* A path, or the name of a built-in model where there is no such file. */
AeModel *tool_open_model(const char *name, GError **error);
AeModel *tool_load_model(const char *name);

/* A plan for one image, of @size where the model leaves it open. */
AePlan *tool_plan(AeModel *model, Size size, AePool *pool, GError **error);

AeIdx *tool_load_idx(const char *path);
AeImage *tool_load_png(const char *path);
AePicture tool_picture_of(AeImage image);
AeTensor *tool_new_tensor(AeShape shape);

/* Zeros for @n items of @size bytes. Free with ae_free(). */
void *tool_alloc(int64_t n, size_t size);

/* Room for @count tensors of the shape @one, along the first axis. */
AeTensor *tool_new_rows(AeShape one, int64_t count);

void tool_save_model(const AeModel *model, const char *path);

/* Writes what was drawn as a PNG file. */
void tool_save_canvas(cairo_t *canvas, const char *path);

/* How often larger @columns images of @width fill a picture: 1 to @most. */
int tool_choose_zoom(int width, int columns, int most);

/* Orders an array of names, for qsort() and the like. */
int tool_compare_names(const void *a, const void *b);

/* Shows, on a terminal alone, how far long work is and how many seconds are
 * left. Call it first with @done = 0; with @done = @all it clears the line. */
void tool_progress(int64_t done, int64_t all);
