/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/ae-training.h"

#include <string.h>

/* Sets the option that is called @name on the command line. */
static gboolean set_option(const char *name, const char *value, void *data,
                           GError **error)
{
    Training *training = data;
    g_autoptr(GError) problem = NULL;

    name = strcmp(name, "-o") == 0 ? "model-file" : name + strlen("--");
    if (ae_session_options_set(&training->options, name,
                               value != NULL ? value : "true", &problem))
        return TRUE;
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        problem->message);
    return FALSE;
}

/* What --help says of an option. Free. */
static char *describe(const AeOption *option)
{
    g_autoptr(GString) text = g_string_new(option->about);

    for (const AeOptionChoice *c = option->choices;
         c != NULL && c->name != NULL; c++)
        g_string_append_printf(
            text, "%s%s%s", c == option->choices ? ": " : ", ", c->name,
            c->value == (int)option->number ? " (default)" : "");
    if (option->choices == NULL && option->number != 0)
        g_string_append_printf(text, " (default: %g)", option->number);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static GOptionEntry entry_of(const AeOption *option, const char *description)
{
    gboolean boolean = option->type == AE_OPTION_BOOLEAN;

    return (GOptionEntry){
        .long_name = option->name,
        .short_name = strcmp(option->name, "model-file") == 0 ? 'o' : '\0',
        .flags = boolean ? G_OPTION_FLAG_NO_ARG : 0,
        .arg = G_OPTION_ARG_CALLBACK,
        .arg_data = (gpointer)(guintptr)set_option,
        .description = description,
        .arg_description = boolean ? NULL : "VALUE"};
}

Training training_parse(Arguments *args)
{
    Training training = {.epochs = 1};
    const GOptionEntry entries[] = {
        {"labels", 0, 0, G_OPTION_ARG_FILENAME, &training.labels,
         "An idx file with a label for each picture", "LABELS.idx"},
        tool_int_option(
            "epochs", &training.epochs,
            "How often to go through the pictures; 0: until max-steps "
            "(default: 1)"),
        {"shuffle", 0, 0, G_OPTION_ARG_NONE, &training.shuffle,
         "Take the pictures of each epoch in a random order", NULL},
        {"gray", 0, 0, G_OPTION_ARG_NONE, &training.gray,
         "Take the luma of RGB pictures (BT.601)", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &training.files,
         NULL, NULL},
        {NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new(args->usage);
    GOptionGroup *group = g_option_group_new("", "", "", &training, NULL);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    int n;
    const AeOption *table = ae_session_options_table(&n);

    ae_session_options_init(&training.options);
    for (int i = 0; i < n; i++) {
        GOptionEntry two[2] = {{NULL}, {NULL}};

        g_ptr_array_add(texts, describe(&table[i]));
        two[0] = entry_of(&table[i], g_ptr_array_index(texts, i));
        g_option_group_add_entries(group, two);
    }
    g_option_group_add_entries(group, entries);
    g_option_context_set_main_group(context, group);
    tool_check(
        g_option_context_parse(context, &args->argc, &args->argv, &tool_error));
    tool_usage(training.epochs >= 0, "--epochs must not be negative");
    tool_usage(training.epochs > 0 || training.options.max_steps > 0,
               "--epochs=0 needs --max-steps");
    tool_usage(training.files != NULL, "no files of pictures are given");
    return training;
}

void training_clear(Training *training)
{
    ae_session_options_clear(&training->options);
    g_free(training->labels);
    g_strfreev(training->files);
}

/* Where a picture is: in a PNG file, or at a place in an idx file. */
typedef struct {
    char *png;
    const AeIdx *idx; /* where png is NULL */
    int64_t place;
} Item;

struct Pictures {
    const Training *training;
    GArray *items;  /* of Item */
    GPtrArray *idx; /* of AeIdx */
    AeIdx *labels;  /* or NULL */
    AeOrder *order;
    AeImage *image; /* the PNG that was read last */
    uint8_t *luma;  /* of the picture that was read last */
};

static void item_clear(void *item)
{
    g_free(((Item *)item)->png);
}

void pictures_free(Pictures *p)
{
    if (p == NULL)
        return;
    g_array_unref(p->items);
    g_ptr_array_unref(p->idx);
    ae_idx_free(p->labels);
    ae_order_free(p->order);
    ae_image_free(p->image);
    ae_free(p->luma);
    g_free(p);
}

static void add_png(Pictures *p, const char *path)
{
    Item item = {.png = g_strdup(path)};

    g_array_append_val(p->items, item);
}

/* Adds the PNG files in a folder, in the order of their names. */
static void add_folder(Pictures *p, const char *path)
{
    g_autoptr(GDir) folder = tool_need(g_dir_open(path, 0, &tool_error));
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    while ((name = g_dir_read_name(folder)) != NULL)
        if (g_str_has_suffix(name, ".png"))
            g_ptr_array_add(names, g_build_filename(path, name, NULL));
    g_ptr_array_sort(names, tool_compare_names);
    for (guint i = 0; i < names->len; i++)
        add_png(p, g_ptr_array_index(names, i));
    tool_require(names->len > 0, "%s: the folder has no PNG files", path);
}

/* An idx file that holds labels (rank 1) or images. */
static AeIdx *load_idx(const char *path, gboolean labels)
{
    AeIdx *idx = tool_load_idx(path);

    tool_require((idx->rank == 1) == labels,
                 "%s holds %s, but %s are wanted here", path,
                 labels ? "images" : "labels", labels ? "labels" : "images");
    return idx;
}

static void add_idx(Pictures *p, const char *path)
{
    AeIdx *idx = load_idx(path, FALSE);

    g_ptr_array_add(p->idx, idx);
    for (int64_t i = 0; i < idx->dim[0]; i++) {
        Item item = {.idx = idx, .place = i};

        g_array_append_val(p->items, item);
    }
}

static void add_file(Pictures *p, const char *path)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        add_folder(p, path);
    else if (g_str_has_suffix(path, ".png"))
        add_png(p, path);
    else
        add_idx(p, path);
}

Pictures *pictures_new(const Training *training)
{
    Pictures *p = g_new0(Pictures, 1);

    p->items = g_array_new(FALSE, FALSE, sizeof(Item));
    g_array_set_clear_func(p->items, item_clear);
    p->idx = g_ptr_array_new_with_free_func((GDestroyNotify)ae_idx_free);
    p->training = training;
    for (char **file = training->files; *file != NULL; file++)
        add_file(p, *file);
    if (training->labels != NULL) {
        p->labels = load_idx(training->labels, TRUE);
        tool_require(p->labels->dim[0] == p->items->len,
                     "%s holds %" G_GINT64_FORMAT
                     " labels, but there are %u pictures",
                     training->labels, p->labels->dim[0], p->items->len);
    }
    p->order =
        tool_need(ae_order_new(p->items->len, training->shuffle,
                               training->options.task.seed, &tool_error));
    return p;
}

uint64_t pictures_total(const Pictures *p)
{
    return p->training->epochs == 0
               ? G_MAXUINT64
               : (uint64_t)p->training->epochs * p->items->len;
}

/* Pictures of RGB become gray: BT.601, full range. */
static void take_luma(Pictures *p, AePicture *picture)
{
    int width = picture->format.width, height = picture->format.height;
    const uint8_t *rgb = picture->plane[0].data;

    ae_free(p->luma);
    p->luma = tool_alloc((int64_t)width * height, 1);
    for (size_t i = 0; i < (size_t)width * height; i++, rgb += 3)
        p->luma[i] = (uint8_t)(0.299f * rgb[0] + 0.587f * rgb[1] +
                               0.114f * rgb[2] + 0.5f);
    *picture = ae_picture_of_bytes(p->luma, width, height, 1);
}

AePicture pictures_read(Pictures *p, uint64_t number, int *label)
{
    const uint32_t i = ae_order_item(p->order, number);
    const Item *item = &g_array_index(p->items, Item, i);
    AePicture picture;

    if (item->png != NULL) {
        ae_image_free(p->image);
        p->image = tool_load_png(item->png);
        picture = tool_picture_of(*p->image);
    } else {
        picture = tool_picture_of(ae_idx_image(item->idx, item->place));
    }
    if (p->training->gray && picture.format.colour == AE_COLOUR_RGB)
        take_luma(p, &picture);
    *label = p->labels != NULL ? p->labels->data[i] : -1;
    return picture;
}
