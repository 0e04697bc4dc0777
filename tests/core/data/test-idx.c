/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ae.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define NUMBER(n) 0, 0, 0, n

static const uint8_t labels[] = {0, 0, 8, 1, NUMBER(3), 7, 8, 9};
static const uint8_t gray[] = {0, 0, 8, 3, NUMBER(2), NUMBER(1), NUMBER(3),
                               1, 2, 3, 4, 5,         6};
static const uint8_t colour[] = {
    0, 0, 8, 4, NUMBER(1), NUMBER(1), NUMBER(2), NUMBER(3), 1, 2, 3, 4, 5, 6};

static const struct {
    const uint8_t *bytes;
    size_t size;
    int rank;
    int64_t dim[4];
    size_t item;
} good[] = {
    {labels, sizeof labels, 1, {3}, 1},
    {gray, sizeof gray, 3, {2, 1, 3}, 3},
    {colour, sizeof colour, 4, {1, 1, 2, 3}, 6},
};

static GBytes *compress(const void *bytes, size_t size)
{
    g_autoptr(GZlibCompressor) gzip =
        g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) stream =
        g_converter_output_stream_new(memory, G_CONVERTER(gzip));

    g_output_stream_write_all(stream, bytes, size, NULL, NULL, NULL);
    g_output_stream_close(stream, NULL, NULL);
    return g_memory_output_stream_steal_as_bytes(
        G_MEMORY_OUTPUT_STREAM(memory));
}

static void check(size_t i, const AeIdx *idx)
{
    size_t count = 1;

    g_assert_nonnull(idx);
    g_assert_cmpint(idx->rank, ==, good[i].rank);
    for (int j = 0; j < idx->rank; j++) {
        g_assert_cmpint(idx->dim[j], ==, good[i].dim[j]);
        count *= (size_t)idx->dim[j];
    }
    g_assert_cmpuint(ae_idx_item_size(idx), ==, good[i].item);
    g_assert_cmpmem(idx->data, count, good[i].bytes + good[i].size - count,
                    count);
}

static void test_parse(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) packed = compress(good[i].bytes, good[i].size);
        g_autoptr(AeIdx) plain =
            ae_idx_parse(good[i].bytes, good[i].size, "plain", &error);
        g_assert_no_error(error);
        check(i, plain);
        gsize size;
        const void *data = g_bytes_get_data(packed, &size);
        g_autoptr(AeIdx) unpacked = ae_idx_parse(data, size, "gz", &error);
        g_assert_no_error(error);
        check(i, unpacked);
    }
}

/* Labels of int32, alone or at the front of rows, become bytes; gray images may
 * say their one channel. */
static void test_other_layouts(void)
{
    static const uint8_t column[] = {
        0, 0, 12, 1, NUMBER(3), NUMBER(7), NUMBER(0), NUMBER(255)};
    static const uint8_t rows[] = {
        0,         0,          12,        2,         NUMBER(3),   NUMBER(2),
        NUMBER(7), NUMBER(99), NUMBER(0), NUMBER(9), NUMBER(255), NUMBER(1)};
    static const uint8_t images[] = {
        0, 0, 8, 4, NUMBER(2), NUMBER(1), NUMBER(2), NUMBER(1), 1, 2, 3, 4};
    static const struct {
        const uint8_t *bytes;
        gsize size;
    } labels[] = {{column, sizeof column}, {rows, sizeof rows}};
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < 2 * G_N_ELEMENTS(labels); i++) {
        g_autoptr(GBytes) file =
            i % 2 ? compress(labels[i / 2].bytes, labels[i / 2].size)
                  : g_bytes_new(labels[i / 2].bytes, labels[i / 2].size);
        gsize size;
        const void *data = g_bytes_get_data(file, &size);
        g_autoptr(AeIdx) idx = ae_idx_parse(data, size, "labels", &error);

        g_assert_no_error(error);
        g_assert_cmpint(idx->rank, ==, 1);
        g_assert_cmpint(idx->dim[0], ==, 3);
        g_assert_cmpmem(idx->data, 3, "\7\0\377", 3);
        g_assert_null(ae_idx_parse(data, size - 1, "labels", NULL));
    }
    g_autoptr(AeIdx) gray = ae_idx_parse(images, sizeof images, "gray", &error);
    g_assert_no_error(error);
    g_assert_cmpint(gray->rank, ==, 3);
    g_assert_cmpuint(ae_idx_item_size(gray), ==, 2);
    g_assert_cmpmem(gray->data, 4, "\1\2\3\4", 4);
}

/* What is saved has the bytes of the file that it was loaded from. */
static void test_save(void)
{
    g_autofree char *path = NULL;
    int file = g_file_open_tmp("idx-XXXXXX", &path, NULL);

    g_close(file, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AeIdx) idx =
            ae_idx_parse(good[i].bytes, good[i].size, "plain", &error);
        g_autofree char *found = NULL;
        gsize size;

        g_assert_true(ae_idx_save(idx, path, &error));
        g_assert_true(g_file_get_contents(path, &found, &size, &error));
        g_assert_cmpmem(found, size, good[i].bytes, good[i].size);
        g_assert_false(ae_idx_save(idx, "/missing/x", &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_FILE);
    }
    g_unlink(path);
}

/* Every prefix of a good file is refused, plain and compressed. */
static void test_truncated(void)
{
    g_autoptr(GBytes) packed = compress(gray, sizeof gray);
    gsize size;
    const uint8_t *data = g_bytes_get_data(packed, &size);

    for (gsize n = 0; n < sizeof gray; n++) {
        g_autoptr(GError) error = NULL;
        g_autofree uint8_t *prefix = g_memdup2(gray, n);
        g_assert_null(ae_idx_parse(prefix, n, "prefix", &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
        g_assert_true(g_str_has_prefix(error->message, "prefix"));
    }
    for (gsize n = 0; n < size; n++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ae_idx_parse(data, n, "prefix", &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
    }
}

/* A prefix of a valid file, compressed: the stream ends well, but early. */
static void test_short_content(void)
{
    for (gsize n = 0; n < sizeof gray; n++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) packed = compress(gray, n);
        gsize size;
        const void *data = g_bytes_get_data(packed, &size);
        g_assert_null(ae_idx_parse(data, size, "short", &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
    }
}

static const struct {
    uint8_t bytes[24];
    size_t size;
    AeError code;
    const char *says;
} bad[] = {
    {{1, 0, 8, 1, NUMBER(1), 0}, 9, AE_ERROR_FORMAT, "two zero bytes"},
    {{0, 0, 13, 1, NUMBER(1), 0}, 9, AE_ERROR_UNSUPPORTED, "type 0x0d"},
    {{0, 0, 12, 3, NUMBER(1)}, 8, AE_ERROR_UNSUPPORTED, "rank 3"},
    {{0, 0, 12, 1, NUMBER(1), 0, 0, 1, 0},
     12,
     AE_ERROR_UNSUPPORTED,
     "label 0 is 256"},
    {{0, 0, 12, 1, NUMBER(1), 255, 255, 255, 255},
     12,
     AE_ERROR_UNSUPPORTED,
     "label 0 is -1"},
    {{0, 0, 8, 2, NUMBER(1), NUMBER(1), 0}, 13, AE_ERROR_UNSUPPORTED, "rank 2"},
    {{0, 0, 8, 255, NUMBER(1)}, 8, AE_ERROR_UNSUPPORTED, "rank 255"},
    {{0, 0, 8, 1, NUMBER(0)}, 8, AE_ERROR_FORMAT, "dimension 0 is 0"},
    {{0, 0, 8, 1, NUMBER(1), 5, 6}, 10, AE_ERROR_FORMAT, "9 bytes in all"},
    {{0, 0, 8, 1, 255, 255, 255, 255}, 8, AE_ERROR_FORMAT, "2 GiB"},
    {{0, 0, 8, 1, 0x7f, 255, 255, 0}, 8, AE_ERROR_FORMAT, "2147483400 bytes"},
    {{0, 0, 8, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0},
     16,
     AE_ERROR_FORMAT,
     "2 GiB"},
    {{0, 0, 8, 4, NUMBER(1), NUMBER(1), NUMBER(1), NUMBER(4), 1, 2, 3, 4},
     24,
     AE_ERROR_UNSUPPORTED,
     "last dimension 4"},
};

static void test_bad(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GBytes) packed = compress(bad[i].bytes, bad[i].size);
        g_autoptr(GError) plain = NULL;
        g_autoptr(GError) gzip = NULL;
        gsize size;
        const void *data = g_bytes_get_data(packed, &size);
        g_assert_null(ae_idx_parse(bad[i].bytes, bad[i].size, "x", &plain));
        g_assert_error(plain, AE_ERROR, (int)bad[i].code);
        g_assert_nonnull(strstr(plain->message, bad[i].says));
        g_assert_null(ae_idx_parse(data, size, "x", &gzip));
        g_assert_error(gzip, AE_ERROR, (int)bad[i].code);
    }
}

static void test_load(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("idx-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "gray.gz", NULL);
    g_autoptr(GBytes) packed = compress(gray, sizeof gray);
    gsize size;
    const char *data = g_bytes_get_data(packed, &size);

    g_assert_null(ae_idx_load(path, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_FILE);
    g_assert_nonnull(strstr(error->message, path));
    g_clear_error(&error);
    g_file_set_contents(path, data, (gssize)size, &error);
    g_autoptr(AeIdx) idx = ae_idx_load(path, &error);
    g_assert_no_error(error);
    check(1, idx);
    g_remove(path);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/idx/parse", test_parse);
    g_test_add_func("/idx/other-layouts", test_other_layouts);
    g_test_add_func("/idx/save", test_save);
    g_test_add_func("/idx/truncated", test_truncated);
    g_test_add_func("/idx/short-content", test_short_content);
    g_test_add_func("/idx/bad", test_bad);
    g_test_add_func("/idx/load", test_load);
    return g_test_run();
}
