/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pools run every index once, with as many threads as there can be. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ae.h"
#include "base/processors.h"

enum { N = 1000, NOBODY = 65534 };

typedef struct {
    int calls[N];
    int threads;
    gboolean outside; /* a thread's number was none of the pool's */
} Loop;

static void count(void *data, int64_t index, int thread)
{
    Loop *loop = data;

    loop->calls[index]++;
    if (thread < 0 || thread >= loop->threads)
        loop->outside = TRUE;
}

static gboolean runs_every_index_once(AePool *pool)
{
    for (int round = 0; round < 20; round++) {
        Loop loop = {.threads = ae_pool_threads(pool)};

        ae_pool_run(pool, count, &loop, N);
        for (int i = 0; i < N; i++)
            if (loop.calls[i] != 1)
                return FALSE;
        if (loop.outside)
            return FALSE;
    }
    return TRUE;
}

static void test_runs(void)
{
    static const int threads[] = {1, 2, 3, 16, 64};

    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autoptr(AePool) pool = ae_pool_new(threads[i]);

        g_assert_cmpint(ae_pool_threads(pool), ==, threads[i]);
        g_assert_true(runs_every_index_once(pool));
    }
}

static void test_default(void)
{
    g_autoptr(AePool) pool = ae_pool_new(0);

    g_assert_cmpint(ae_pool_threads(pool), ==, ae_processors());
    g_assert_cmpint(ae_processors(), >=, 1);
    g_assert_cmpint(ae_processors(), <=, (int)g_get_num_processors());
}

static void ignore(const char *domain G_GNUC_UNUSED,
                   GLogLevelFlags level G_GNUC_UNUSED,
                   const char *message G_GNUC_UNUSED, void *data G_GNUC_UNUSED)
{
}

/* In a process that may start no more threads; root has no such limit. */
static int limited(void)
{
    if (getuid() == 0 && setuid(NOBODY) != 0)
        return 2;
    setrlimit(RLIMIT_NPROC, &(struct rlimit){1, 1});
    g_log_set_default_handler(ignore, NULL);

    AePool *pool = ae_pool_new(8);

    return ae_pool_threads(pool) < 8 && runs_every_index_once(pool) ? 0 : 1;
}

static void test_limit(void)
{
    pid_t child = fork();
    int status = 0;

    g_assert_cmpint(child, >=, 0);
    if (child == 0)
        _exit(limited());
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 2)
        g_test_skip("root cannot become another user here");
    else
        g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

static void write_file(const char *root, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(root, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void test_quota(void)
{
    static const struct {
        const char *groups;
        double quota;
    } cases[] = {
        {"0::/\n", 0},
        {"0::/half\n", 0.5},
        {"0::/two/open\n", 2}, /* the quota is above */
        {"0::/two/one\n", 1},  /* the smaller one counts */
        {"0::/missing/group\n", 0},
        {"5:memory:/half\n4:cpu,cpuacct:/three\n0::/\n", 3},
        {"4:cpu:/free\n", 0},
        {"4:cpuset:/three\n", 0},
        {"4:cpu:/damaged\n", 0},
        {"", 0},
        {"nonsense", 0},
    };
    g_autofree char *root = g_dir_make_tmp("ae-pool-XXXXXX", NULL);
    g_autofree char *command = g_strdup_printf("rm -r '%s'", root);

    write_file(root, "half/cpu.max", "50000 100000\n");
    write_file(root, "two/cpu.max", "200000 100000\n");
    write_file(root, "two/open/cpu.max", "max 100000\n");
    write_file(root, "two/one/cpu.max", "10000 10000\n");
    write_file(root, "cpu/three/cpu.cfs_quota_us", "300000\n");
    write_file(root, "cpu/three/cpu.cfs_period_us", "100000\n");
    write_file(root, "cpu/free/cpu.cfs_quota_us", "-1\n");
    write_file(root, "cpu/free/cpu.cfs_period_us", "100000\n");
    write_file(root, "cpu/damaged/cpu.cfs_quota_us", "");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpfloat(ae_processor_quota(root, cases[i].groups), ==,
                          cases[i].quota);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pool/runs", test_runs);
    g_test_add_func("/pool/default", test_default);
    g_test_add_func("/pool/limit", test_limit);
    g_test_add_func("/pool/quota", test_quota);
    return g_test_run();
}
