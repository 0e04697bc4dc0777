/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/processors.h"

#include <math.h>
#include <string.h>

/* The numbers at the start of a file; FALSE if there are fewer than @n. */
static gboolean read_numbers(const char *folder, const char *name, int n,
                             double *numbers)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *text = NULL;
    const char *rest;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return FALSE;
    rest = text;
    for (int i = 0; i < n; i++) {
        char *end;

        numbers[i] = g_ascii_strtod(rest, &end);
        if (end == rest)
            return FALSE;
        rest = end;
    }
    return TRUE;
}

/* Of one group. Where there is no quota version 2 says "max" and version 1 a
 * negative number. */
static double group_quota(const char *folder)
{
    double v[2];

    if (!read_numbers(folder, "cpu.max", 2, v) &&
        (!read_numbers(folder, "cpu.cfs_quota_us", 1, &v[0]) ||
         !read_numbers(folder, "cpu.cfs_period_us", 1, &v[1])))
        return 0;
    return v[0] > 0 && v[1] > 0 ? v[0] / v[1] : 0;
}

static double smaller(double a, double b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

/* Of the group @path and all above it, in the file system at @root. */
static double hierarchy_quota(const char *root, const char *path)
{
    g_autofree char *group = g_strdup(path);
    double quota = 0;

    for (;;) {
        g_autofree char *folder = g_build_filename(root, group, NULL);
        char *slash = strrchr(group, '/');

        quota = smaller(quota, group_quota(folder));
        if (slash == NULL)
            return quota;
        *slash = '\0';
    }
}

double ae_processor_quota(const char *root, const char *groups)
{
    g_auto(GStrv) lines = g_strsplit(groups, "\n", -1);
    double quota = 0;

    for (char **line = lines; *line != NULL; line++) {
        /* number:controllers:path; version 2 has no controllers */
        g_auto(GStrv) part = g_strsplit(*line, ":", 3);

        if (g_strv_length(part) < 3)
            continue;
        g_auto(GStrv) controllers = g_strsplit(part[1], ",", -1);
        gboolean second = *part[1] == '\0';

        if (!second &&
            !g_strv_contains((const char *const *)controllers, "cpu"))
            continue;
        g_autofree char *mounted =
            second ? g_strdup(root) : g_build_filename(root, "cpu", NULL);

        quota = smaller(quota, hierarchy_quota(mounted, part[2]));
    }
    return quota;
}

int ae_processors(void)
{
    int processors = (int)g_get_num_processors();
    g_autofree char *groups = NULL;
    double quota = 0;

    if (g_file_get_contents("/proc/self/cgroup", &groups, NULL, NULL))
        quota = ae_processor_quota("/sys/fs/cgroup", groups);
    if (quota > 0 && quota < processors)
        processors = (int)ceil(quota);
    return processors;
}

int ae_threads(unsigned wanted)
{
    int processors = ae_processors();

    return wanted > 0 && wanted < (unsigned)processors ? (int)wanted
                                                       : processors;
}
