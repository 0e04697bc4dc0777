/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* safetensors files: what is written comes back, and damaged files are refused.
 */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "ae.h"
#include "model/safetensors.h"
#include "base/file.h"

static char *folder;

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static AeTensor *ramp(AeShape shape)
{
    g_autoptr(GError) error = NULL;
    AeTensor *tensor = ae_tensor_new(&shape, &error);
    int64_t count = ae_shape_elements(&shape);

    g_assert_no_error(error);
    for (int64_t i = 0; i < count; i++)
        tensor->data[i] = 0.5f * (float)i - 1;
    return tensor;
}

static AeSafetensors *example(void)
{
    AeSafetensors *file = ae_safetensors_new();

    ae_safetensors_add(file, "scalar", ramp(ae_shape(0)));
    ae_safetensors_add(file, "empty", ramp(ae_shape(2, 0, 3)));
    ae_safetensors_add(file, "quoted \"\\ \xc3\xa9", ramp(ae_shape(1, 3)));
    ae_safetensors_add(file, "weight", ramp(ae_shape(4, 2, 3, 4, 5)));
    g_hash_table_insert(file->metadata, g_strdup("step"), g_strdup("17"));
    g_hash_table_insert(file->metadata, g_strdup("a"), g_strdup("b\nc"));
    return file;
}

static void test_round_trip(void)
{
    g_autoptr(AeSafetensors) file = example();
    g_autoptr(AeSafetensors) back = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of("a.safetensors");

    ae_safetensors_save(file, path, &error);
    g_assert_no_error(error);
    back = ae_safetensors_load(path, &error);
    g_assert_no_error(error);

    g_assert_cmpint(back->names->len, ==, file->names->len);
    for (guint i = 0; i < file->names->len; i++) {
        const AeTensor *was = g_ptr_array_index(file->tensors, i);
        const AeTensor *is = g_ptr_array_index(back->tensors, i);
        gsize size = 4 * ae_shape_elements(&was->shape);

        g_assert_cmpstr(g_ptr_array_index(back->names, i), ==,
                        g_ptr_array_index(file->names, i));
        g_assert_true(ae_shape_equal(&was->shape, &is->shape));
        g_assert_cmpmem(is->data, size, was->data, size);
    }
    g_assert_cmpint(g_hash_table_size(back->metadata), ==, 2);
    g_assert_cmpstr(g_hash_table_lookup(back->metadata, "step"), ==, "17");
    g_assert_cmpstr(g_hash_table_lookup(back->metadata, "a"), ==, "b\nc");
    g_assert_nonnull(ae_safetensors_find(back, "weight"));
    g_assert_null(ae_safetensors_find(back, "bias"));
}

/* The data lies in row-major order, whatever our own is. */
static void test_row_major(void)
{
    static const char text[] =
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[1,2,3],\"data_offsets\":[0,24]}}";
    static const float expected[] = {0, 3, 1, 4, 2, 5}; /* axis 1 innermost */
    g_autoptr(AeSafetensors) file = NULL;
    g_autoptr(GError) error = NULL;
    uint8_t bytes[8 + sizeof text - 1 + 24] = {sizeof text - 1};
    float values[6] = {0, 1, 2, 3, 4, 5};

    memcpy(bytes + 8, text, sizeof text - 1);
    ae_floats_to_bytes(bytes + 8 + sizeof text - 1, values, 6);
    file = ae_safetensors_parse(bytes, sizeof bytes, "memory", &error);
    g_assert_no_error(error);
    g_assert_cmpmem(ae_safetensors_find(file, "t")->data, 24, expected, 24);
}

/* Halves of floats: 1, -2, the least above 0, infinity; and 1, -2 twice. */
static void test_halves(void)
{
    static const char text[] =
        "{\"h\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,8]},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[8,16]}}";
    static const uint8_t data[] = {0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00,
                                   0x00, 0x7c, 0x80, 0x3f, 0x00, 0xc0,
                                   0x80, 0x3f, 0x00, 0xc0};
    static const float halves[] = {1, -2, 0x1p-24f, INFINITY};
    static const float bfloats[] = {1, -2, 1, -2};
    g_autoptr(AeSafetensors) file = NULL;
    g_autoptr(GError) error = NULL;
    uint8_t bytes[8 + sizeof text - 1 + sizeof data] = {sizeof text - 1};

    memcpy(bytes + 8, text, sizeof text - 1);
    memcpy(bytes + 8 + sizeof text - 1, data, sizeof data);
    file = ae_safetensors_parse(bytes, sizeof bytes, "memory", &error);
    g_assert_no_error(error);
    g_assert_cmpmem(ae_safetensors_find(file, "h")->data, 16, halves, 16);
    g_assert_cmpmem(ae_safetensors_find(file, "b")->data, 16, bfloats, 16);
}

#define T(shape, from, to)                                                     \
    "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static const struct {
    const char *header; /* followed by 16 bytes of data */
    int code;
    const char *message;
} refused[] = {
    {"", AE_ERROR_FORMAT, "no JSON object"},
    {"[]", AE_ERROR_FORMAT, "no JSON object"},
    {"{", AE_ERROR_FORMAT, "damaged"},
    {"{\"a\":", AE_ERROR_FORMAT, "damaged"},
    {"{\"a", AE_ERROR_FORMAT, "damaged"},
    {"{}", AE_ERROR_FORMAT, "16 bytes of data"},
    {"{}{}", AE_ERROR_FORMAT, "does not end"},
    {"{\"a\":[[[[]]]]}", AE_ERROR_FORMAT, "nested"},
    {"{\"a\":7}", AE_ERROR_FORMAT, "no JSON object"},
    {"{/**/\"a\":" T("[4]", "0", "16") "}", AE_ERROR_FORMAT, "byte 0x2f"},
    {"{\"a\":" T("[-4]", "0", "16") "}", AE_ERROR_FORMAT, "byte 0x2d"},
    {"{\"a\":" T("[4.0]", "0", "16") "}", AE_ERROR_FORMAT, "byte 0x2e"},
    {"{\"a\":" T("4", "0", "16") "}", AE_ERROR_FORMAT, "no valid shape"},
    {"{\"a\":" T("[\"4\"]", "0", "16") "}", AE_ERROR_FORMAT, "shape"},
    {"{\"a\":" T("[5]", "0", "16") "}", AE_ERROR_FORMAT, "its shape"},
    {"{\"a\":" T("[4]", "16", "0") "}", AE_ERROR_FORMAT, "lies at"},
    {"{\"a\":" T("[4]", "4", "20") "}", AE_ERROR_FORMAT, "lies at"},
    {"{\"a\":" T("[3]", "4", "16") "}", AE_ERROR_FORMAT, "hole"},
    {"{\"a\":" T("[3]", "0", "12") "}", AE_ERROR_FORMAT, "end at 12"},
    {"{\"a\":" T("[4]", "0", "16") ",\"b\":" T("[1]", "12", "16") "}",
     AE_ERROR_FORMAT, "overlaps"},
    {"{\"a\":" T("[4]", "0", "16") ",\"a\":" T("[4]", "0", "16") "}",
     AE_ERROR_FORMAT, "twice"},
    {"{\"a\":" T("[4294967296,4294967296,1]", "0", "16") "}", AE_ERROR_FORMAT,
     "its shape"},
    {"{\"a\":" T("[99999999999999999999]", "0", "16") "}", AE_ERROR_FORMAT,
     "a"},
    {"{\"a\":" T("[1,1,1,1,1,1,1,1,4]", "0", "16") "}", AE_ERROR_UNSUPPORTED,
     "rank 9"},
    {"{\"a\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]}}",
     AE_ERROR_UNSUPPORTED, "F64"},
    {"{\"a\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,16]}}",
     AE_ERROR_FORMAT, "its shape"},
    {"{\"a\":{\"shape\":[4],\"data_offsets\":[0,16]}}", AE_ERROR_FORMAT,
     "no data type"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4]}}", AE_ERROR_FORMAT, "needs"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16,16]}}",
     AE_ERROR_FORMAT, "needs"},
    {"{\"__metadata__\":{\"a\":1},\"a\":" T("[4]", "0", "16") "}",
     AE_ERROR_FORMAT, "no string"},
};

static void test_refused(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        gsize length = strlen(refused[i].header);
        gsize size = 8 + length + 16;
        g_autofree uint8_t *bytes = g_malloc0(size);

        g_test_message("%s", refused[i].header);
        bytes[0] = length & 255;
        bytes[1] = length >> 8;
        memcpy(bytes + 8, refused[i].header, length);
        g_assert_null(ae_safetensors_parse(bytes, size, "bad.file", &error));
        g_assert_error(error, AE_ERROR, refused[i].code);
        g_assert_nonnull(strstr(error->message, refused[i].message));
        g_assert_true(g_str_has_prefix(error->message, "bad.file: "));
    }
}

static void test_header_length(void)
{
    static const uint64_t lengths[] = {9, 100000001, UINT64_MAX,
                                       UINT64_MAX - 7};

    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GError) error = NULL;
        uint64_t bytes[2] = {GUINT64_TO_LE(lengths[i]), 0};

        g_assert_null(ae_safetensors_parse(bytes, 16, "bad.file", &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
    }
}

static void test_truncated(void)
{
    g_autoptr(AeSafetensors) file = example();
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *path = path_of("whole.safetensors");

    g_assert_true(ae_safetensors_save(file, path, &error));
    bytes = ae_file_read(path, &error);
    g_assert_no_error(error);
    for (int i = 0; i < 16; i++) {
        gsize size = g_bytes_get_size(bytes) * i / 16;

        g_assert_null(ae_safetensors_parse(g_bytes_get_data(bytes, NULL), size,
                                           path, &error));
        g_assert_error(error, AE_ERROR, AE_ERROR_FORMAT);
        g_clear_error(&error);
    }
}

static void test_missing(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of("missing");

    g_assert_null(ae_safetensors_load(path, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_FILE);
    g_assert_nonnull(strstr(error->message, path));
    g_clear_error(&error);
    g_assert_null(ae_safetensors_load(folder, &error));
    g_assert_error(error, AE_ERROR, AE_ERROR_FILE);
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
    g_test_add_func("/safetensors/round-trip", test_round_trip);
    g_test_add_func("/safetensors/row-major", test_row_major);
    g_test_add_func("/safetensors/halves", test_halves);
    g_test_add_func("/safetensors/refused", test_refused);
    g_test_add_func("/safetensors/header-length", test_header_length);
    g_test_add_func("/safetensors/truncated", test_truncated);
    g_test_add_func("/safetensors/missing", test_missing);
    result = g_test_run();
    remove_folder();
    return result;
}
