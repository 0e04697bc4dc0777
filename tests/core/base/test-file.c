/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files are replaced as a whole or not at all, and nothing is left beside them.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ae.h"
#include "base/file.h"

static char *folder;

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static guint files_in_folder(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

static void assert_content(const char *path, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = ae_file_read(path, &error);

    g_assert_no_error(error);
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                    expected, strlen(expected));
}

static void test_write(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of("text");
    guint before = files_in_folder();
    struct stat info;

    g_assert_true(ae_file_write(path, "old", 3, &error));
    assert_content(path, "old");
    g_assert_cmpint(g_chmod(path, 0640), ==, 0);
    g_assert_true(ae_file_write(path, "newer", 5, &error));
    assert_content(path, "newer");
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0640);
    g_assert_true(ae_file_write(path, "", 0, &error));
    assert_content(path, "");
    g_assert_cmpint(files_in_folder(), ==, before + 1);
}

/* A full disk, played by a limit on the size of files. */
static void test_full(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of("precious");
    g_autofree char *large = g_malloc0(1 << 20);
    struct rlimit limit;
    guint before;

    g_assert_true(ae_file_write(path, "old", 3, &error));
    before = files_in_folder();
    getrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, limit.rlim_max});
    g_assert_false(ae_file_write(path, large, 1 << 20, &error));
    setrlimit(RLIMIT_FSIZE, &limit);
    g_assert_error(error, AE_ERROR, AE_ERROR_FILE);
    g_assert_nonnull(strstr(error->message, g_strerror(EFBIG)));
    g_assert_cmpint(files_in_folder(), ==, before);
    assert_content(path, "old");
}

static void test_not_writable(void)
{
    g_autofree char *nowhere = path_of("no/such/folder");
    const char *const paths[] = {nowhere, "/dev/null", folder};

    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(ae_file_write(paths[i], "text", 4, &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_FILE);
        g_assert_nonnull(strstr(error->message, paths[i]));
    }
}

static void test_write_protected(void)
{
    g_autofree char *path = path_of("protected");
    g_autoptr(GError) error = NULL;

    g_assert_true(ae_file_write(path, "old", 3, &error));
    g_assert_cmpint(g_chmod(path, 0444), ==, 0);
    g_assert_false(ae_file_can_write(path, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_FILE);
    g_assert_nonnull(strstr(error->message, "write-protected"));
    g_assert_false(ae_file_write(path, "new", 3, NULL));
    assert_content(path, "old");
}

/* A process that is killed while it writes leaves a temporary file, which the
 * next one that shall write the file takes away. Files of strangers stay. */
static void test_strays(void)
{
    static const char *const others[] = {"m.onnx.part", "m.onnx.abc.part",
                                         "other.onnx.Ab12Cd.part",
                                         "m.onnx.Ab12Cd"};
    g_autofree char *path = path_of("m.onnx");
    g_autofree char *stray = path_of("m.onnx.Ab12Cd.part");
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(stray, "half", 4, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree char *other = path_of(others[i]);

        g_assert_true(g_file_set_contents(other, "text", 4, NULL));
    }
    guint before = files_in_folder();

    g_assert_true(ae_file_can_write(path, &error));
    g_assert_no_error(error);
    g_assert_false(g_file_test(stray, G_FILE_TEST_EXISTS));
    g_assert_cmpint(files_in_folder(), ==, before - 1);
}

/* Writers that are killed at any moment, while others check: the file is always
 * whole, and in the end nothing lies beside it. */
static void test_killed_writers(void)
{
    enum { SIZE = 1 << 20 };
    g_autofree char *path = path_of("killed");
    g_autofree char *data = g_malloc0(SIZE);
    guint before = files_in_folder();

    for (int i = 0; i < 30; i++) {
        pid_t child = fork();

        g_assert_cmpint(child, >=, 0);
        while (child == 0)
            if (!ae_file_write(path, data, SIZE, NULL))
                _exit(1);
        g_usleep((gulong)(1000 + 700 * i));
        g_assert_true(ae_file_can_write(path, NULL));
        kill(child, SIGKILL);
        int status = 0;

        g_assert_cmpint(waitpid(child, &status, 0), ==, child);
        g_assert_true(WIFSIGNALED(status));
    }
    g_assert_true(ae_file_write(path, "end", 3, NULL));
    g_assert_true(ae_file_can_write(path, NULL));
    g_assert_cmpint(files_in_folder(), ==, before + 1);
    assert_content(path, "end");
}

static void test_same(void)
{
    g_autofree char *a = path_of("a"), *again = path_of("./a");
    g_autofree char *b = path_of("b"), *link = path_of("link");

    g_assert_true(ae_file_is_same(a, a));
    g_assert_true(ae_file_is_same(a, again)); /* neither is there yet */
    g_assert_false(ae_file_is_same(a, b));
    g_assert_true(ae_file_write(a, "a", 1, NULL));
    g_assert_true(ae_file_write(b, "b", 1, NULL));
    g_assert_cmpint(symlink(a, link), ==, 0);
    g_assert_true(ae_file_is_same(a, again));
    g_assert_true(ae_file_is_same(a, link));
    g_assert_false(ae_file_is_same(b, link));
    g_assert_false(ae_file_is_same(a, b));
}

static void remove_folder(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = path_of(name);

        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
}

int main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("ae-files-XXXXXX", NULL);
    g_test_add_func("/file/write", test_write);
    g_test_add_func("/file/full", test_full);
    g_test_add_func("/file/not-writable", test_not_writable);
    g_test_add_func("/file/write-protected", test_write_protected);
    g_test_add_func("/file/strays", test_strays);
    g_test_add_func("/file/killed-writers", test_killed_writers);
    g_test_add_func("/file/same", test_same);
    result = g_test_run();
    remove_folder();
    return result;
}
