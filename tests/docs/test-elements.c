/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/user/elements.md against the elements themselves: every element has a
 * chapter "## name", every property of our own a blurb and there a row
 *
 *   | `name` | type | default | range | meaning |
 *
 * with the type, default and range that the element has: read-only properties
 * have the default "read-only", enums list their values as `nick`s, numbers
 * their range as least..most unless it is all that the type holds. */
#include <gst/gst.h>
#include <string.h>

static char *page; /* docs/user/elements.md */

/* From the heading of @element to the next one. Free; NULL if there is none. */
static char *find_chapter(const char *element)
{
    g_autofree char *heading = g_strdup_printf("\n## %s\n", element);
    const char *begin = strstr(page, heading);
    const char *end;

    if (begin == NULL)
        return NULL;
    begin += strlen(heading);
    end = strstr(begin, "\n## ");
    return end != NULL ? g_strndup(begin, (gsize)(end - begin))
                       : g_strdup(begin);
}

/* The cells of a property's row: "", name, type, default, range, meaning, "".
 * NULL if there is none. */
static GStrv find_row(const char *chapter, const char *property)
{
    g_autofree char *begin = g_strdup_printf("\n| `%s` |", property);
    const char *row = strstr(chapter, begin);
    g_autofree char *line = NULL;
    GStrv cells;

    if (row == NULL)
        return NULL;
    line = g_strndup(row + 1, strcspn(row + 1, "\n"));
    cells = g_strsplit(line, "|", -1);
    for (int i = 0; cells[i] != NULL; i++)
        g_strstrip(cells[i]);
    return cells;
}

static const char *type_name(const GParamSpec *spec)
{
    if (G_IS_PARAM_SPEC_ENUM(spec))
        return "enum";
    if (spec->value_type == G_TYPE_STRING)
        return "string";
    if (spec->value_type == GST_TYPE_STRUCTURE)
        return "structure";
    return g_type_name(spec->value_type) + strlen("g");
}

/* What a new element has. */
static char *default_text(GstElement *element, GParamSpec *spec)
{
    g_auto(GValue) content = G_VALUE_INIT, text = G_VALUE_INIT;
    const GValue *value = &content;

    if (!(spec->flags & G_PARAM_WRITABLE))
        return g_strdup("read-only");
    g_value_init(&content, spec->value_type);
    g_object_get_property(G_OBJECT(element), spec->name, &content);
    if (G_IS_PARAM_SPEC_ENUM(spec)) {
        const GEnumClass *values = G_PARAM_SPEC_ENUM(spec)->enum_class;
        return g_strdup_printf("`%s`", g_enum_get_value((GEnumClass *)values,
                                                        g_value_get_enum(value))
                                           ->value_nick);
    }
    if (G_VALUE_HOLDS_STRING(value) && g_value_get_string(value) == NULL)
        return g_strdup("none");
    if (G_VALUE_HOLDS_STRING(value))
        return g_strdup_printf("`%s`", g_value_get_string(value));
    if (G_VALUE_HOLDS_BOOLEAN(value))
        return g_strdup(g_value_get_boolean(value) ? "true" : "false");
    if (G_VALUE_HOLDS_FLOAT(value))
        return g_strdup_printf("%g", (double)g_value_get_float(value));
    g_value_init(&text, G_TYPE_STRING);
    g_value_transform(value, &text);
    return g_value_dup_string(&text);
}

/* NULL: nothing to say. */
static char *range_text(GParamSpec *spec)
{
    if (!(spec->flags & G_PARAM_WRITABLE))
        return NULL;
    if (G_IS_PARAM_SPEC_UINT(spec) &&
        G_PARAM_SPEC_UINT(spec)->maximum < G_MAXUINT)
        return g_strdup_printf("%u..%u", G_PARAM_SPEC_UINT(spec)->minimum,
                               G_PARAM_SPEC_UINT(spec)->maximum);
    if (G_IS_PARAM_SPEC_FLOAT(spec))
        return g_strdup_printf("%g..%g",
                               (double)G_PARAM_SPEC_FLOAT(spec)->minimum,
                               (double)G_PARAM_SPEC_FLOAT(spec)->maximum);
    if (!G_IS_PARAM_SPEC_ENUM(spec))
        return NULL;
    const GEnumClass *values = G_PARAM_SPEC_ENUM(spec)->enum_class;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < values->n_values; i++)
        g_string_append_printf(text, "%s`%s`", i > 0 ? ", " : "",
                               values->values[i].value_nick);
    return g_string_free(text, FALSE);
}

static void check_cell(const char *element, const char *property,
                       const char *what, const char *found,
                       const char *expected)
{
    if (expected == NULL || g_strcmp0(found, expected) == 0)
        return;
    g_test_message("%s: the %s of %s is %s, not %s", element, what, property,
                   expected, found);
    g_test_fail();
}

static void check_property(GstElement *element, const char *chapter,
                           GParamSpec *spec)
{
    g_auto(GStrv) row = find_row(chapter, spec->name);
    g_autofree char *value = default_text(element, spec);
    g_autofree char *range = range_text(spec);
    const char *name = GST_OBJECT_NAME(gst_element_get_factory(element));

    if (row == NULL || g_strv_length(row) != 7 || *row[5] == '\0') {
        g_test_message("%s: %s has no row of five cells", name, spec->name);
        g_test_fail();
        return;
    }
    check_cell(name, spec->name, "type", row[2], type_name(spec));
    check_cell(name, spec->name, "default", row[3], value);
    check_cell(name, spec->name, "range", row[4], range);
}

/* Of our own: of a type that this plugin defines. */
static gboolean is_ours(const GParamSpec *spec)
{
    const char *owner = g_type_name(spec->owner_type);

    return g_str_has_prefix(owner, "GstAe") ||
           g_str_has_prefix(owner, "GstIdx");
}

static void test_element(gconstpointer data)
{
    const char *name = data;
    g_autoptr(GstElement) element = gst_element_factory_make(name, NULL);
    g_autofree char *chapter = find_chapter(name);
    g_autofree GParamSpec **specs = NULL;
    guint n;

    g_assert_nonnull(element);
    g_object_ref_sink(element);
    g_assert_nonnull(
        gst_element_get_metadata(element, GST_ELEMENT_METADATA_DESCRIPTION));
    if (chapter == NULL) {
        g_test_message("elements.md has no chapter ## %s", name);
        g_test_fail();
        return;
    }
    specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &n);
    for (guint i = 0; i < n; i++) {
        if (!is_ours(specs[i]))
            continue;
        const char *blurb = g_param_spec_get_blurb(specs[i]);
        g_assert_true(blurb != NULL && *blurb != '\0');
        check_property(element, chapter, specs[i]);
    }
}

/* Every chapter's table speaks of properties that exist. */
static void test_rows(void)
{
    g_auto(GStrv) lines = g_strsplit(page, "\n", -1);
    g_autoptr(GstElement) element = NULL;

    for (int i = 0; lines[i] != NULL; i++) {
        if (g_str_has_prefix(lines[i], "## ")) {
            gst_clear_object(&element);
            g_autoptr(GstElementFactory) factory =
                gst_element_factory_find(lines[i] + strlen("## "));
            if (factory != NULL)
                element = g_object_ref_sink(
                    gst_element_factory_create(factory, NULL));
        }
        g_auto(GStrv) cells = g_strsplit(lines[i], "|", -1);
        if (element == NULL || g_strv_length(cells) != 7 ||
            strchr(cells[1], '`') == NULL)
            continue;
        g_autofree char *name = g_strdelimit(g_strdup(cells[1]), "`", ' ');
        if (g_object_class_find_property(G_OBJECT_GET_CLASS(element),
                                         g_strstrip(name)) != NULL)
            continue;
        g_test_message("%s has no property %s", GST_OBJECT_NAME(element), name);
        g_test_fail();
    }
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    GList *features;

    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    g_assert_true(
        g_file_get_contents(g_getenv("AE_ELEMENTS_PAGE"), &page, NULL, &error));
    features = gst_registry_get_feature_list_by_plugin(gst_registry_get(),
                                                       "autoencoder");
    g_assert_nonnull(features);
    for (GList *f = features; f != NULL; f = f->next) {
        const char *name = gst_plugin_feature_get_name(f->data);
        g_autofree char *path = g_strconcat("/docs/", name, NULL);
        g_test_add_data_func(path, name, test_element);
    }
    g_test_add_func("/docs/rows", test_rows);
    int code = g_test_run();
    gst_plugin_feature_list_free(features);
    g_free(page);
    return code;
}
