/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for models, and the cache that shares them. */
#include "gstaemodel.h"

#include <glib/gstdio.h>

GST_DEBUG_CATEGORY_STATIC(ae_model_debug);
#define GST_CAT_DEFAULT ae_model_debug

static GMutex lock;
static GHashTable *cache; /* key -> GstAeModel; owns neither */

/* A file's key changes with its content: saving renames a new file into
 * place. */
char *gst_ae_model_file_key(const char *path)
{
    GStatBuf info;

    if (g_stat(path, &info) != 0)
        return NULL;
    return g_strdup_printf(
        "%s:%lld:%lld.%09ld:%llu", path, (long long)info.st_size,
        (long long)info.st_mtim.tv_sec, (long)info.st_mtim.tv_nsec,
        (unsigned long long)info.st_ino);
}

static char *find_in_folder(const char *folder, const char *file_name)
{
    g_autofree char *path = g_build_filename(folder, file_name, NULL);

    if (*folder == '\0' || !g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return NULL;
    return g_steal_pointer(&path);
}

static GStrv model_folders(void)
{
    g_autoptr(GStrvBuilder) folders = g_strv_builder_new();
    const char *const *system = g_get_system_data_dirs();
    const char *list = g_getenv("GST_AE_MODEL_PATH");
    g_auto(GStrv) listed =
        g_strsplit(list != NULL ? list : "", G_SEARCHPATH_SEPARATOR_S, -1);

    g_strv_builder_addv(folders, (const char **)listed);
    for (int i = -1; i < 0 || system[i] != NULL; i++) {
        g_autofree char *folder =
            g_build_filename(i < 0 ? g_get_user_data_dir() : system[i],
                             "gst-autoencoder", "models", NULL);
        g_strv_builder_add(folders, folder);
    }
    return g_strv_builder_end(folders);
}

/* NULL: no file of that name. */
static char *find_file(const char *name)
{
    g_auto(GStrv) folders = model_folders();
    g_autofree char *file_name = g_strconcat(name, ".onnx", NULL);
    char *path = NULL;

    for (int i = 0; path == NULL && folders[i] != NULL; i++)
        path = find_in_folder(folders[i], file_name);
    return path;
}

/* With the lock held. */
static GstAeModel *share(const char *key)
{
    GstAeModel *model = cache != NULL ? g_hash_table_lookup(cache, key) : NULL;

    if (model != NULL) {
        model->users++;
        GST_DEBUG("shares model %s", model->label);
    }
    return model;
}

static GstAeModel *share_locked(const char *key)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    return share(key);
}

static void model_free(GstAeModel *model)
{
    ae_model_unref(model->model);
    g_free(model->label);
    g_free(model->key);
    g_free(model);
}

/* Two threads may have loaded the same model: the first to come stays. */
static GstAeModel *add(GstAeModel *model)
{
    GstAeModel *first;

    g_mutex_lock(&lock);
    if (cache == NULL)
        cache = g_hash_table_new(g_str_hash, g_str_equal);
    first = share(model->key);
    if (first == NULL)
        g_hash_table_insert(cache, model->key, model);
    g_mutex_unlock(&lock);
    if (first == NULL)
        return model;
    model_free(model);
    return first;
}

/* Takes over @model; NULL: its metadata are damaged. */
static GstAeModel *wrap(AeModel *model, const char *label, const char *key,
                        GError **error)
{
    GstAeModel *wrapped = g_new0(GstAeModel, 1);

    wrapped->model = model;
    wrapped->label = g_strdup(label);
    wrapped->key = g_strdup(key);
    wrapped->users = 1;
    if (ae_metadata_read(model, &wrapped->metadata, error)) {
        GST_INFO("loaded model %s", label);
        return add(wrapped);
    }
    g_prefix_error(error, "%s: ", label);
    model_free(wrapped);
    return NULL;
}

/* A built-in model, or that of the file @name. */
static GstAeModel *load(const char *name, gboolean builtin, GError **error)
{
    g_autofree char *key = builtin ? g_strconcat("builtin:", name, NULL)
                                   : gst_ae_model_file_key(name);
    GstAeModel *shared = key != NULL ? share_locked(key) : NULL;
    AeModel *model;

    if (shared != NULL)
        return shared;
    model = builtin ? ae_builtin_load(name, error) : ae_onnx_load(name, error);
    if (model == NULL)
        return NULL;
    return wrap(model, name, key != NULL ? key : name, error);
}

GType gst_ae_precision_get_type(void)
{
    static const GEnumValue values[] = {
        {AE_PRECISION_AUTO, "8 bits for quantised models, else floats", "auto"},
        {AE_PRECISION_FP32, "Floats of 32 bits", "fp32"},
        {AE_PRECISION_INT8, "8 bits; for quantised models", "int8"},
        {0}};
    static gsize type;

    return gst_ae_enum_type(&type, "GstAePrecision", values);
}

/* The built-in model in 8 bits, where these are asked for and there is one.
 * Free. */
static char *choose_builtin(const char *name, AePrecision precision)
{
    g_autofree char *bytes = g_strconcat(name, "-int8", NULL);

    if (precision == AE_PRECISION_INT8 &&
        g_strv_contains(ae_builtin_names(), bytes))
        return g_steal_pointer(&bytes);
    return g_strdup(name);
}

GstAeModel *gst_ae_model_load(const char *file, const char *name,
                              AePrecision precision, GError **error)
{
    static gsize category;
    g_autofree char *path = NULL, *builtin = NULL;

    if (g_once_init_enter(&category)) {
        GST_DEBUG_CATEGORY_INIT(ae_model_debug, "aemodel", 0,
                                "Models of elements");
        g_once_init_leave(&category, 1);
    }
    if (file != NULL)
        return load(file, FALSE, error);
    if (name == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "no model is given: set the property model-file or model");
        return NULL;
    }
    if (strchr(name, G_DIR_SEPARATOR) != NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "'%s' is not the name of a model: the property model takes "
                    "a name, model-file a path",
                    name);
        return NULL;
    }
    path = find_file(name);
    if (path != NULL)
        return load(path, FALSE, error);
    builtin = choose_builtin(name, precision);
    return load(builtin, TRUE, error);
}

void gst_ae_model_unref(GstAeModel *model)
{
    gboolean last;

    g_mutex_lock(&lock);
    last = --model->users == 0;
    if (last)
        g_hash_table_remove(cache, model->key);
    g_mutex_unlock(&lock);
    if (!last)
        return;
    GST_DEBUG("frees model %s", model->label);
    model_free(model);
}

GstAeModelSettings gst_ae_model_settings_copy(const GstAeModelSettings *from)
{
    return (GstAeModelSettings){g_strdup(from->model_file),
                                g_strdup(from->model), from->threads,
                                from->precision};
}

void gst_ae_model_settings_clear(GstAeModelSettings *settings)
{
    g_free((char *)settings->model_file);
    g_free((char *)settings->model);
    *settings = (GstAeModelSettings){0};
}
