/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/user/models.md against the core: its tables name, as `NAME`, every
 * operator, architecture and built-in model, and no operator that there is
 * not. */
#include <string.h>

#include "ae.h"
#include "ops/ops.h"

static char *page;

/* From @heading to the next heading of any level. */
static char *find_chapter(const char *heading)
{
    const char *begin = strstr(page, heading);

    g_assert_nonnull(begin);
    begin += strlen(heading);
    return g_strndup(begin, strstr(begin, "\n##") != NULL
                                ? (gsize)(strstr(begin, "\n##") - begin)
                                : strlen(begin));
}

static void check_names(const char *chapter, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++) {
        g_autofree char *quoted = g_strdup_printf("`%s`", names[i]);
        if (strstr(chapter, quoted) != NULL)
            continue;
        g_test_message("%s is not there", quoted);
        g_test_fail();
    }
}

static void test_operators(void)
{
    g_autofree char *chapter = find_chapter("\n### Operators\n");
    g_autofree char *list = ae_operator_names();
    g_auto(GStrv) names = g_strsplit(list, ", ", -1);
    g_auto(GStrv) lines = g_strsplit(chapter, "\n", -1);

    check_names(chapter, (const char *const *)names);
    for (int i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) cells = g_strsplit(lines[i], "|", 3);
        if (!g_str_has_prefix(lines[i], "| `"))
            continue;
        g_auto(GStrv) words = g_strsplit_set(cells[1], " `,", -1);
        for (int j = 0; words[j] != NULL; j++)
            g_assert_true(*words[j] == '\0' ||
                          ae_operator_find(words[j]) != NULL);
    }
}

static void test_architectures(void)
{
    g_autofree char *chapter = find_chapter("\n## Architectures\n");

    check_names(chapter, ae_architecture_names());
}

static void test_builtin(void)
{
    g_autofree char *chapter = find_chapter("\n## Names\n");

    check_names(chapter, ae_builtin_names());
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(
        g_file_get_contents(g_getenv("AE_MODELS_PAGE"), &page, NULL, NULL));
    g_test_add_func("/docs/operators", test_operators);
    g_test_add_func("/docs/architectures", test_architectures);
    g_test_add_func("/docs/builtin", test_builtin);
    int code = g_test_run();
    g_free(page);
    return code;
}
