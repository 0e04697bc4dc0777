/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The caps of codes: written, read in every spelling, and refused. */
#include <gst/gst.h>

#include "gstaetensors.h"

#define VIDEO                                                                  \
    "video/x-raw,format=I420,width=30,height=20,framerate=25/1,"               \
    "colorimetry=bt709,pixel-aspect-ratio=4/3"
#define HINTS                                                                  \
    ",framerate=25/1,ae-width=30,ae-height=20,ae-format=I420,"                 \
    "ae-colorimetry=bt709,pixel-aspect-ratio=4/3"

/* TRUE if both say the same, except for ones at the front. */
static gboolean same_shape(const AeShape *a, const AeShape *b)
{
    int extra = a->rank - b->rank;

    if (extra < 0)
        return same_shape(b, a);
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != (i < extra ? 1 : b->dim[i - extra]))
            return FALSE;
    return TRUE;
}

static void test_write(void)
{
    static const struct {
        GstAeTensors tensors;
        const char *video, *caps;
    } cases[] = {
        {{1, {{2, {1, 2}}}},
         VIDEO,
         "other/tensors,format=static,num_tensors=1,types=float32,"
         "dimensions=(string)2:1:1:1" HINTS},
        {{1, {{4, {1, 8, 4, 5}}}},
         "video/x-raw,format=GRAY8,framerate=0/1",
         "other/tensors,format=static,num_tensors=1,types=float32,"
         "dimensions=(string)5:4:8:1,framerate=0/1,ae-format=GRAY8"},
        {{2, {{3, {1, 7, 6}}, {5, {3, 1, 2, 2, 2}}}},
         VIDEO,
         "other/tensors,format=static,num_tensors=2,"
         "types=(string)\"float32,float32\","
         "dimensions=(string)\"6:7:1:1,2:2:2:1:3\"" HINTS},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GstCaps) video = gst_caps_from_string(cases[i].video);
        g_autoptr(GstCaps) expected = gst_caps_from_string(cases[i].caps);
        g_autoptr(GstCaps) caps =
            gst_ae_tensors_to_caps(&cases[i].tensors, video);
        g_autoptr(GstCaps) back = gst_ae_tensors_to_video(caps);
        GstAeTensors tensors;

        g_assert_true(gst_caps_is_equal(caps, expected));
        g_assert_true(gst_caps_is_equal(video, back));
        g_assert_true(gst_ae_tensors_from_caps(&tensors, caps, NULL));
        g_assert_cmpint(tensors.n, ==, cases[i].tensors.n);
        for (int t = 0; t < tensors.n; t++)
            g_assert_true(
                same_shape(&tensors.shape[t], &cases[i].tensors.shape[t]));
    }
}

static void test_spellings(void)
{
    static const struct {
        const char *caps;
        int n;
        AeShape shape;
    } cases[] = {
        {"num_tensors=1,types=float32,dimensions=(string)5:4:8",
         1,
         {3, {8, 4, 5}}},
        {"types=float32,dimensions=(string)5:4:8:1:1:1:1:1:1:1:1:1:1:1:1:1",
         1,
         {3, {8, 4, 5}}},
        {"types=float32,dimensions=(string)3", 1, {1, {3}}},
        {"types=float32,dimensions=(string)1:1", 1, {1, {1}}},
        {"types=float32.float32,dimensions=(string)3:1.3", 2, {1, {3}}},
        {"types=(string)\"float32, float32\",dimensions=(string)\"3, 3\"",
         2,
         {1, {3}}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strconcat("other/tensors,", cases[i].caps, NULL);
        g_autoptr(GstCaps) caps = gst_caps_from_string(text);
        GError *error = NULL;
        GstAeTensors tensors;

        g_assert_nonnull(caps);
        gst_ae_tensors_from_caps(&tensors, caps, &error);
        g_assert_no_error(error);
        g_assert_cmpint(tensors.n, ==, cases[i].n);
        for (int t = 0; t < tensors.n; t++)
            g_assert_true(ae_shape_equal(&tensors.shape[t], &cases[i].shape));
    }
}

static void test_refused(void)
{
    static const struct {
        const char *caps, *sentence;
    } cases[] = {
        {"framerate=1/1", "dimensions="},
        {"types=float32,dimensions=(string)0:1", "dimensions=0:1"},
        {"types=float32,dimensions=(string)4:-1", "dimensions=4:-1"},
        {"types=float32,dimensions=(string)4:x", "dimensions=4:x"},
        {"types=float32,dimensions=(string)4::2", "dimensions=4::2"},
        {"types=float32,dimensions=(string)2:2:2:2:2:2:2:2:2", "2:2:2:2:2"},
        {"types=float32,dimensions=(string)1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1",
         "one to 16"},
        {"types=float32,dimensions=(string)4294967295:4294967295:9", "4294967"},
        {"types=float32,dimensions=(string)"
         "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1",
         "one to 16"},
        {"dimensions=(string)4", "types=(nothing)"},
        {"types=uint8,dimensions=(string)4", "types=uint8"},
        {"types=float32,dimensions=(string)4.4", "types=float32"},
        {"types=float32,dimensions=(string)4,num_tensors=2", "num_tensors=2"},
        {"format=flexible", "format=flexible"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strconcat("other/tensors,", cases[i].caps, NULL);
        g_autoptr(GstCaps) caps = gst_caps_from_string(text);
        g_autoptr(GError) error = NULL;
        GstAeTensors tensors;

        g_assert_nonnull(caps);
        g_assert_false(gst_ae_tensors_from_caps(&tensors, caps, &error));
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].sentence));
    }
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/aetensors/write", test_write);
    g_test_add_func("/aetensors/spellings", test_spellings);
    g_test_add_func("/aetensors/refused", test_refused);
    return g_test_run();
}
