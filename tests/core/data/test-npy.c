/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ae.h"
#include "data/npy.h"
#include "base/file.h"

#include <glib/gstdio.h>
#include <string.h>

/* What numpy.save() writes before the numbers, @text filled up to 128 bytes. */
static GByteArray *file_of(const char *text, int numbers)
{
    GByteArray *file = g_byte_array_new();
    g_autofree char *padded = g_strdup_printf("%-117s\n", text);

    g_byte_array_append(file, (const guint8 *)"\x93NUMPY\x01\0\x76\0", 10);
    g_byte_array_append(file, (const guint8 *)padded, 118);
    for (int i = 0; i < numbers; i++) {
        float number = (float)i;
        uint8_t bytes[4];
        ae_floats_to_bytes(bytes, &number, 1);
        g_byte_array_append(file, bytes, 4);
    }
    return file;
}

static const struct {
    const char *text;
    int numbers, code; /* -1: is read */
    AeShape shape;
} headers[] = {
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }",
     6,
     -1,
     {2, {3, 2}}},
    {"{'shape':(3,),'fortran_order':False,'descr':'<f4'}", 3, -1, {1, {3}}},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 1, -1, {0}},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2, 3), }",
     12,
     -1,
     {4, {1, 2, 2, 3}}},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2), }",
     0,
     -1,
     {2, {0, 2}}},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 1), }",
     6,
     AE_ERROR_UNSUPPORTED,
     {0}},
    {"{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }",
     6,
     AE_ERROR_UNSUPPORTED,
     {0}},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }",
     5,
     AE_ERROR_FORMAT,
     {0}},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }",
     7,
     AE_ERROR_FORMAT,
     {0}},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 2), }",
     6,
     AE_ERROR_FORMAT,
     {0}},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2",
     6,
     AE_ERROR_FORMAT,
     {0}},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': 6}",
     6,
     AE_ERROR_FORMAT,
     {0}},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': "
     "(1, 1, 1, 1, 1, 1, 1, 1, 1)}",
     1,
     AE_ERROR_FORMAT,
     {0}},
    {"{'descr': '<f4', 'fortran_order': False, "
     "'shape': (2147483647, 2147483647, 2147483647)}",
     6,
     AE_ERROR_SHAPE,
     {0}},
    {"{'descr': '<f4', 'fortran_order': False, "
     "'shape': (99999999999999999999,)}",
     6,
     AE_ERROR_FORMAT,
     {0}},
    {"{'fortran_order': False, 'shape': (3, 2)}", 6, AE_ERROR_FORMAT, {0}},
    {"", 6, AE_ERROR_FORMAT, {0}},
};

static void test_headers(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
        g_autoptr(GError) error = NULL;
        GByteArray *file = file_of(headers[i].text, headers[i].numbers);
        g_autoptr(AeTensor) tensor =
            ae_npy_parse(file->data, file->len, "name", &error);

        g_byte_array_unref(file);
        g_test_message("%s", headers[i].text);
        if (headers[i].code >= 0) {
            g_assert_error(error, AE_ERROR, headers[i].code);
            g_assert_nonnull(strstr(error->message, "name"));
            continue;
        }
        g_assert_no_error(error);
        g_assert_true(ae_shape_equal(&tensor->shape, &headers[i].shape));
    }
}

/* Numbers stand in row-major order in the file and channels-last in memory. */
static void test_order(void)
{
    GByteArray *file = file_of(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2, 3)}", 12);
    g_autoptr(AeTensor) tensor =
        ae_npy_parse(file->data, file->len, "name", NULL);

    for (int c = 0; c < 2; c++)
        for (int p = 0; p < 6; p++)
            g_assert_cmpfloat(tensor->data[p * 2 + c], ==, c * 6 + p);
    g_byte_array_unref(file);
}

/* Of every length but the whole: an error. */
static void test_cut_off(void)
{
    GByteArray *file = file_of(headers[0].text, headers[0].numbers);

    for (guint n = 0; n < file->len; n++) {
        g_autoptr(GError) error = NULL;
        g_autofree guint8 *part = g_memdup2(file->data, MAX(n, 1));
        g_assert_null(ae_npy_parse(part, n, "name", &error));
        g_assert_nonnull(error);
    }
    g_byte_array_unref(file);
}

/* What is written is what NumPy writes, byte for byte. */
static void test_written(void)
{
    g_autofree char *folder = g_dir_make_tmp("npy-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "a.npy", NULL);

    for (int i = 0; i < 3; i++) {
        g_autoptr(GError) error = NULL;
        GByteArray *file =
            file_of(i == 1 ? "{'descr': '<f4', 'fortran_order': False, "
                             "'shape': (3,), }"
                           : headers[i].text,
                    headers[i].numbers);
        g_autoptr(AeTensor) tensor =
            ae_npy_parse(file->data, file->len, "name", &error);
        g_autofree char *bytes = NULL;
        gsize size;

        g_assert_true(ae_npy_save(tensor, path, &error));
        g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
        g_assert_cmpmem(bytes, size, file->data, file->len);
        g_byte_array_unref(file);
    }
    g_remove(path);
    g_assert_null(ae_npy_load(path, NULL));
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/npy/headers", test_headers);
    g_test_add_func("/npy/order", test_order);
    g_test_add_func("/npy/cut-off", test_cut_off);
    g_test_add_func("/npy/written", test_written);
    return g_test_run();
}
