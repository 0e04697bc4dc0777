/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes the keys, by a function for each type of value. */
#include "model/metadata.h"

#include <string.h>

#include "base/error.h"
#include "model/build.h"

enum {
    MAX_CLASSES = 65536,
    MAX_MULTIPLE = 4096,
    MAX_SCALE = 16,
    MAX_FRAMES = 9,
};

static const char components[] = "ae.components";

static const char *const tasks[] = {NULL,  "autoencode",  "denoise", "superres",
                                    "vae", "adversarial", NULL};
static const char *const colours[] = {NULL, "gray", "rgb", "yuv420", NULL};

static const struct {
    const char *key, *what;
} names[AE_N_NAMES] = {
    [AE_NAME_LATENT] = {"ae.latent", "code"},
    [AE_NAME_MEAN] = {"ae.mean", "moments"},
    [AE_NAME_LOG_VARIANCE] = {"ae.log-variance", "moments"},
    [AE_NAME_LABEL] = {"ae.label", "label"},
};

static gboolean refuse(const char *key, const char *text, const char *expected,
                       GError **error)
{
    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "the model says %s=%s, where %s was expected", key, text,
                expected);
    return FALSE;
}

static gboolean read_number(const AeModel *model, const char *key, int most,
                            int *number, GError **error)
{
    const char *text = ae_model_get(model, key);
    g_autofree char *expected = NULL;
    guint64 value = 0;

    if (text == NULL ||
        g_ascii_string_to_unsigned(text, 10, 1, (guint64)most, &value, NULL)) {
        *number = (int)value;
        return TRUE;
    }
    expected = g_strdup_printf("a whole number from 1 to %d", most);
    return refuse(key, text, expected, error);
}

/* @choices: from 1 to a NULL. */
static gboolean read_choice(const AeModel *model, const char *key,
                            const char *const *choices, int *choice,
                            GError **error)
{
    const char *text = ae_model_get(model, key);
    g_autofree char *expected = NULL;

    *choice = 0;
    if (text == NULL)
        return TRUE;
    for (int i = 1; choices[i] != NULL; i++)
        if (g_str_equal(text, choices[i])) {
            *choice = i;
            return TRUE;
        }
    expected = g_strjoinv(" or ", (char **)choices + 1);
    return refuse(key, text, expected, error);
}

static float largest(const AeModel *model, const GArray *values)
{
    AeElement element =
        values->len > 0
            ? ae_model_value(model, g_array_index(values, int, 0))->element
            : AE_ELEMENT_DEFAULT;

    return element == AE_ELEMENT_UINT8    ? G_MAXUINT8
           : element == AE_ELEMENT_UINT16 ? G_MAXUINT16
                                          : 1;
}

static gboolean read_range(const AeModel *model, AeMetadata *metadata,
                           GError **error)
{
    const char *text = ae_model_get(model, "ae.range");
    char *end = NULL;
    double low, high = 0;

    metadata->range = (AeRange){
        0, MAX(largest(model, model->inputs), largest(model, model->outputs))};
    if (text == NULL)
        return TRUE;
    low = g_ascii_strtod(text, &end);
    if (*end == ',')
        high = g_ascii_strtod(end + 1, &end);
    if (*end != '\0' || !(high > low && high - low < 1e6))
        return refuse("ae.range", text, "a pair of numbers such as -1,1",
                      error);
    metadata->range = (AeRange){(float)low, (float)(high - low)};
    return TRUE;
}

/* The model must have the label's value, with rows of as many numbers as there
 * are classes. */
static gboolean read_classes(const AeModel *model, const char *label,
                             int *classes, GError **error)
{
    const char *text = ae_model_get(model, "ae.classes");
    const AeValue *value;
    int64_t declared = 0;

    if (label == NULL) {
        *classes = 0;
        return TRUE;
    }
    value = ae_metadata_value(model, AE_NAME_LABEL, error);
    if (value == NULL ||
        !read_number(model, "ae.classes", MAX_CLASSES, classes, error))
        return FALSE;
    if (value->has_shape && value->shape.rank == 2)
        declared = MAX(value->shape.dim[1], 0);
    if (*classes > 0 && (declared == 0 || declared == *classes))
        return TRUE;
    return refuse("ae.classes", text != NULL ? text : "",
                  "the length of the rows of its label", error);
}

static gboolean read_components(const AeModel *model, gboolean *luma_chroma,
                                GError **error)
{
    const char *text = ae_model_get(model, components);

    *luma_chroma = text != NULL;
    return text == NULL || g_str_equal(text, "yuv") ||
           refuse(components, text, "yuv", error);
}

static gboolean read_frames(const AeModel *model, AeMetadata *metadata,
                            GError **error)
{
    const char *text = ae_model_get(model, "ae.ahead");
    guint64 ahead = 0;

    metadata->ahead = -1;
    if (!read_number(model, "ae.frames", MAX_FRAMES, &metadata->frames, error))
        return FALSE;
    if (text == NULL)
        return TRUE;
    if (!g_ascii_string_to_unsigned(text, 10, 0, MAX_FRAMES - 1, &ahead, NULL))
        return refuse("ae.ahead", text, "a whole number from 0 to 8", error);
    metadata->ahead = (int)ahead;
    return TRUE;
}

const char *ae_task_name(AeTaskKind task)
{
    return tasks[task];
}

gboolean ae_metadata_read(const AeModel *model, AeMetadata *metadata,
                          GError **error)
{
    int task, colour;

    *metadata =
        (AeMetadata){.architecture = ae_model_get(model, "ae.architecture"),
                     .noise = ae_model_get(model, "ae.noise"),
                     .sigma = ae_model_get(model, "ae.sigma")};
    for (int i = 0; i < AE_N_NAMES; i++)
        metadata->names[i] = ae_model_get(model, names[i].key);
    if (!read_choice(model, "ae.task", tasks, &task, error) ||
        !read_choice(model, "ae.colour", colours, &colour, error) ||
        !read_range(model, metadata, error) ||
        !read_number(model, "ae.scale", MAX_SCALE, &metadata->scale, error) ||
        !read_number(model, "ae.multiple", MAX_MULTIPLE, &metadata->multiple,
                     error) ||
        !read_components(model, &metadata->luma_chroma, error) ||
        !read_classes(model, metadata->names[AE_NAME_LABEL], &metadata->classes,
                      error))
        return FALSE;
    if (!read_frames(model, metadata, error))
        return FALSE;
    metadata->task = (AeTaskKind)task;
    metadata->colour = (AeModelColour)colour;
    return TRUE;
}

static void write_text(AeModel *model, const char *key, const char *text)
{
    if (text != NULL)
        ae_model_set(model, key, text);
}

static void write_number(AeModel *model, const char *key, int number)
{
    g_autofree char *text = g_strdup_printf("%d", number);

    if (number > 0)
        ae_model_set(model, key, text);
}

static void write_range(AeModel *model, const AeRange *range)
{
    char low[G_ASCII_DTOSTR_BUF_SIZE], high[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *text = NULL;

    if (range->span == 0)
        return;
    g_ascii_formatd(low, sizeof low, "%g", (double)range->low);
    g_ascii_formatd(high, sizeof high, "%g", (double)range->low + range->span);
    text = g_strconcat(low, ",", high, NULL);
    ae_model_set(model, "ae.range", text);
}

void ae_metadata_write(AeModel *model, const AeMetadata *metadata)
{
    write_text(model, "ae.architecture", metadata->architecture);
    write_text(model, "ae.noise", metadata->noise);
    write_text(model, "ae.task", tasks[metadata->task]);
    write_text(model, "ae.colour", colours[metadata->colour]);
    write_text(model, components, metadata->luma_chroma ? "yuv" : NULL);
    for (int i = 0; i < AE_N_NAMES; i++)
        write_text(model, names[i].key, metadata->names[i]);
    write_number(model, "ae.classes", metadata->classes);
    write_number(model, "ae.scale", metadata->scale);
    write_number(model, "ae.multiple", metadata->multiple);
    write_range(model, &metadata->range);
}

void ae_metadata_drop_luma_chroma(AeModel *model)
{
    g_hash_table_remove(model->metadata, components);
}

const AeValue *ae_metadata_value(const AeModel *model, AeMetadataName name,
                                 GError **error)
{
    const char *key = names[name].key, *text = ae_model_get(model, key);
    int value = text != NULL ? ae_model_find(model, text) : -1;

    if (value >= 0)
        return ae_model_value(model, value);
    if (text != NULL)
        refuse(key, text, "the name of one of its values", error);
    else
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model has no %s: its metadata lack %s, the name of "
                    "that value",
                    names[name].what, key);
    return NULL;
}

static int find_end(const AeModel *model, const GArray *values,
                    const char *name)
{
    for (guint i = 0; i < values->len; i++) {
        int value = g_array_index(values, int, i);

        if (g_str_equal(ae_model_value(model, value)->name, name))
            return (int)i;
    }
    return -1;
}

/* Adds the pairs of @text, such as "past_a=next_a,past_b=next_b". */
static gboolean read_states(const AeModel *model, const char *text,
                            GArray *states, GError **error)
{
    g_auto(GStrv) pairs = g_strsplit(text, ",", -1);

    for (int i = 0; pairs[i] != NULL; i++) {
        g_auto(GStrv) ends = g_strsplit(pairs[i], "=", 2);
        gboolean both = g_strv_length(ends) == 2;
        const AeCarry state = {
            both ? find_end(model, model->inputs, ends[0]) : -1,
            both ? find_end(model, model->outputs, ends[1]) : -1};

        if (state.input < 0 || state.output < 0)
            return refuse("ae.state", text,
                          "pairs INPUT=OUTPUT of its inputs and outputs",
                          error);
        g_array_append_val(states, state);
    }
    return TRUE;
}

/* Names that people give to states: the input's and the output's. */
static const struct {
    const char *was, *becomes;
    gboolean front; /* they begin with it */
} endings[] = {
    {"past_", "next_", TRUE},
    {"past_", "present_", TRUE},
    {"_in", "_out", FALSE},
    {"i", "o", FALSE}, /* of r1i and r1o alone */
};

/* The name of the output that becomes input @name by rule @i; NULL: none. */
static char *name_after(const char *name, size_t i)
{
    size_t length = strlen(name), part = strlen(endings[i].was);

    if (endings[i].front)
        return g_str_has_prefix(name, endings[i].was)
                   ? g_strconcat(endings[i].becomes, name + part, NULL)
                   : NULL;
    if (!g_str_has_suffix(name, endings[i].was) ||
        (part == 1 &&
         !(name[0] == 'r' && length == 3 && g_ascii_isdigit(name[1]))))
        return NULL;
    return g_strdup_printf("%.*s%s", (int)(length - part), name,
                           endings[i].becomes);
}

/* The first input and output are no state: all the others may be. */
static void guess_states(const AeModel *model, GArray *states)
{
    for (guint k = 1; k < model->inputs->len; k++)
        for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
            g_autofree char *name = name_after(
                ae_model_value(model, ae_model_input(model, (int)k))->name, i);
            const AeCarry state = {
                (int)k,
                name != NULL ? find_end(model, model->outputs, name) : -1};

            if (state.output <= 0)
                continue;
            g_array_append_val(states, state);
            break;
        }
}

GArray *ae_metadata_states(const AeModel *model, GError **error)
{
    g_autoptr(GArray) states = g_array_new(FALSE, FALSE, sizeof(AeCarry));
    const char *text = ae_model_get(model, "ae.state");

    if (text == NULL)
        guess_states(model, states);
    else if (!read_states(model, text, states, error))
        return NULL;
    return g_steal_pointer(&states);
}

int ae_metadata_multiple(const AeMetadata *metadata, int i)
{
    if (metadata->multiple > 0)
        return i == 0 ? metadata->multiple : 0;
    return i <= 5 ? 1 << i : 0;
}

int ae_round_up(int size, int multiple)
{
    int64_t n = ((int64_t)size + multiple - 1) / multiple;

    return (int)MIN(n * multiple, G_MAXINT);
}
