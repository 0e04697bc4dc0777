/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checkpoints of training: weights, moments, step and options. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "train/private.h"
#include "plan/training.h"

#define MAX_STEPS ((gint64)1 << 40) /* a checkpoint with more is damaged */

#define RECIPE "recipe." /* begins the keys of the caller's options */

char *ae_float_text(float number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    return g_strdup(g_ascii_formatd(text, sizeof text, "%.9g", (double)number));
}

/* Adds the options that must be equal when training resumes to @map. */
static void describe(const AeTrainer *t, GHashTable *map)
{
    const AeTrainerOptions *o = &t->options;
    const struct {
        const char *key;
        char *value;
    } entries[] = {
        {"ae.loss", g_strdup_printf("%d", o->loss)},
        {"ae.sum", g_strdup_printf("%d", o->sum)},
        {"ae.code-term", g_strdup_printf("%d", o->code_term)},
        {"ae.code-weight", ae_float_text(o->code_weight)},
        {"ae.adversary-rate", ae_float_text(o->adversary_rate)},
        {"ae.optimizer", g_strdup_printf("%d", o->optimizer)},
        {"ae.batch-size", g_strdup_printf("%d", o->batch_size)},
        {"ae.seed", g_strdup_printf("%" G_GUINT64_FORMAT, o->seed)},
        {"ae.cosine-steps",
         g_strdup_printf("%" G_GINT64_FORMAT, o->cosine_steps)},
        {"ae.learning-rate", ae_float_text(o->learning_rate)},
        {"ae.clip-norm", ae_float_text(o->clip_norm)},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
        g_hash_table_insert(map, g_strdup(entries[i].key), entries[i].value);
}

static gboolean add_arena(const AeTrainer *t, AeSafetensors *file,
                          const char *prefix, const float *arena,
                          GError **error)
{
    for (guint i = 0; i < t->model->values->len; i++) {
        const AeValue *value = ae_model_value(t->model, (int)i);
        if (!value->trainable)
            continue;
        AeTensor *tensor = ae_tensor_copy(value->constant, error);
        if (tensor == NULL)
            return FALSE;
        size_t n = (size_t)ae_shape_elements(&tensor->shape);
        g_autofree char *name = g_strconcat(prefix, value->name, NULL);

        memcpy(tensor->data, arena, n * sizeof(float));
        arena += n;
        ae_safetensors_add(file, name, tensor);
    }
    return TRUE;
}

static gboolean read_arena(const AeTrainer *t, const AeSafetensors *file,
                           const char *prefix, float *arena, GError **error)
{
    for (guint i = 0; i < t->model->values->len; i++) {
        const AeValue *value = ae_model_value(t->model, (int)i);
        if (!value->trainable)
            continue;
        g_autofree char *name = g_strconcat(prefix, value->name, NULL);
        const AeTensor *tensor = ae_safetensors_find(file, name);
        if (tensor == NULL ||
            !ae_shape_equal(&tensor->shape, &value->constant->shape)) {
            g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                        "the checkpoint is of another model: it has no "
                        "tensor '%s' of the same shape",
                        name);
            return FALSE;
        }
        size_t n = (size_t)ae_shape_elements(&tensor->shape);
        memcpy(arena, tensor->data, n * sizeof(float));
        arena += n;
    }
    return TRUE;
}

/* The prefix of the names of moment number @moment. Free with g_free(). */
static char *moment_prefix(const char *prefix, int moment)
{
    static const char *const names[2] = {"optimizer.m.", "optimizer.v."};

    return g_strconcat(prefix, names[moment], NULL);
}

gboolean ae_trainer_write_state(const AeTrainer *t, AeSafetensors *file,
                                const char *prefix, GError **error)
{
    gboolean written = add_arena(t, file, prefix, t->weights, error);

    for (int i = 0; written && i < ae_optimizer_moments(t->options.optimizer);
         i++) {
        g_autofree char *moment = moment_prefix(prefix, i);
        written = add_arena(t, file, moment, t->moments[i], error);
    }
    return written;
}

gboolean ae_trainer_save(AeTrainer *t, const char *const *recipe,
                         const char *path, GError **error)
{
    g_autoptr(AeSafetensors) file = ae_safetensors_new();

    if (!isfinite(t->kernels->sum_squares(t->weights, t->n_weights))) {
        g_set_error(error, AE_ERROR, AE_ERROR_DIVERGED,
                    "%s: is not written: training diverged, and the weights "
                    "are not finite; lower the learning rate",
                    path);
        return FALSE;
    }
    describe(t, file->metadata);
    for (int i = 0; recipe[i] != NULL; i += 2)
        g_hash_table_insert(file->metadata,
                            g_strconcat(RECIPE, recipe[i], NULL),
                            g_strdup(recipe[i + 1]));
    g_hash_table_insert(file->metadata, g_strdup("ae.step"),
                        g_strdup_printf("%" G_GINT64_FORMAT, t->step));
    if (!ae_trainer_write_state(t, file, "", error) ||
        (t->adversary != NULL &&
         !ae_adversary_write_state(t->adversary, file, error)))
        return FALSE;
    return ae_safetensors_save(file, path, error);
}

/* Older checkpoints hold no recipe. */
static gboolean check_recipe(const char *const *recipe,
                             const AeSafetensors *file, GError **error)
{
    for (int i = 0; recipe[i] != NULL; i += 2) {
        const char *name = recipe[i], *text = recipe[i + 1];
        g_autofree char *key = g_strconcat(RECIPE, name, NULL);
        const char *saved = g_hash_table_lookup(file->metadata, key);

        if (saved == NULL || g_str_equal(saved, text))
            continue;
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "the checkpoint was made with %s=%s, not %s=%s", name,
                    saved, name, text);
        return FALSE;
    }
    return TRUE;
}

/* Older checkpoints hold numbers with the comma of a locale. */
static gboolean is_same_value(const char *saved, const char *value)
{
    g_autofree char *with_point = g_strdelimit(g_strdup(saved), ",", '.');

    return g_strcmp0(with_point, value) == 0;
}

static gboolean check_options(const AeTrainer *t, const AeSafetensors *file,
                              GError **error)
{
    g_autoptr(GHashTable) options =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iter;
    void *key, *value;

    describe(t, options);
    g_hash_table_iter_init(&iter, options);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const char *saved = g_hash_table_lookup(file->metadata, key);
        if (is_same_value(saved, value))
            continue;
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "the checkpoint was made with %s %s, not %s",
                    (char *)key + strlen("ae."),
                    saved != NULL ? saved : "unknown", (char *)value);
        return FALSE;
    }
    return TRUE;
}

/* Reads everything before it replaces anything. */
gboolean ae_trainer_read_state(AeTrainer *t, const AeSafetensors *file,
                               const char *prefix, int64_t step, GError **error)
{
    int moments = ae_optimizer_moments(t->options.optimizer);
    size_t n = (size_t)t->n_weights;
    ae_autofree float *state = ae_alloc(3 * n, sizeof *state, error);
    gboolean read = state != NULL && read_arena(t, file, prefix, state, error);

    for (int i = 0; read && i < moments; i++) {
        g_autofree char *moment = moment_prefix(prefix, i);
        read = read_arena(t, file, moment, state + (size_t)(i + 1) * n, error);
    }
    if (!read)
        return FALSE;
    memcpy(t->weights, state, n * sizeof(float));
    for (int i = 0; i < moments; i++)
        memcpy(t->moments[i], state + (size_t)(i + 1) * n, n * sizeof(float));
    t->step = step;
    for (int i = 0; i < ae_pool_threads(t->pool); i++)
        ae_plan_weights_changed(t->plans[i]);
    return TRUE;
}

gboolean ae_trainer_resume(AeTrainer *t, const char *const *recipe,
                           const char *path, GError **error)
{
    g_autoptr(AeSafetensors) file = ae_safetensors_load(path, error);
    const char *step;
    gint64 steps;

    if (file == NULL)
        return FALSE;
    step = g_hash_table_lookup(file->metadata, "ae.step");
    if (step == NULL ||
        !g_ascii_string_to_signed(step, 10, 0, MAX_STEPS, &steps, NULL)) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "%s: not a checkpoint of training: no step count", path);
        return FALSE;
    }
    if (!check_recipe(recipe, file, error) || !check_options(t, file, error) ||
        (t->adversary != NULL &&
         !ae_adversary_read_state(t->adversary, file, steps, error)) ||
        !ae_trainer_read_state(t, file, "", steps, error)) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    return TRUE;
}
