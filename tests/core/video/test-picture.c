/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ae.h"
#include "base/random.h"
#include "video/plane.h"

#include <math.h>
#include <string.h>

enum { W = 7, H = 5, SPACE = 4096 };

static const struct {
    int bits, step, stride, shift;
    gboolean big_endian;
} layouts[] = {
    {8, 1, 7, 0, FALSE},   /* dense */
    {8, 1, 16, 0, FALSE},  /* with room behind the rows */
    {8, 4, 40, 0, FALSE},  /* interleaved */
    {10, 2, 14, 0, FALSE}, /* words */
    {16, 2, 32, 0, FALSE}, {12, 4, 64, 0, FALSE}, /* interleaved words */
    {10, 2, 14, 6, FALSE},                        /* in the high bits */
    {12, 4, 64, 4, FALSE}, {16, 2, 32, 0, TRUE},  {10, 4, 64, 6, TRUE},
};

static uint8_t memory[2][SPACE];

static AePlane make_plane(size_t layout, int which)
{
    memset(memory[which], 0xee, SPACE);
    return (AePlane){.data = memory[which],
                     .stride = layouts[layout].stride,
                     .step = layouts[layout].step,
                     .width = W,
                     .height = H,
                     .bits = layouts[layout].bits,
                     .shift = layouts[layout].shift,
                     .big_endian = layouts[layout].big_endian};
}

/* By the definition, sample by sample. */
static uint8_t *address(const AePlane *plane, int x, int y)
{
    return plane->data + y * plane->stride + x * plane->step;
}

static int get(const AePlane *plane, int x, int y)
{
    const uint8_t *p = address(plane, x, y);
    int high = plane->big_endian ? 0 : 1;

    return plane->bits > 8 ? (p[!high] + 256 * p[high]) >> plane->shift : p[0];
}

static void set(const AePlane *plane, int x, int y, int v)
{
    uint8_t *p = address(plane, x, y);
    int high = plane->big_endian ? 0 : 1;

    if (plane->bits > 8) {
        p[!high] = (uint8_t)((v << plane->shift) & 255);
        p[high] = (uint8_t)((v << plane->shift) / 256);
    } else {
        p[0] = (uint8_t)v;
    }
}

static int most(const AePlane *plane)
{
    return (1 << plane->bits) - 1;
}

static void fill_random(const AePlane *plane, uint64_t seed)
{
    AeRandom random = ae_random(seed, 0);

    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++)
            set(plane, x, y,
                (int)ae_random_below(&random, (uint32_t)most(plane) + 1));
}

/* Mirrors at both ends until the index is inside. */
static int mirrored(int i, int n)
{
    while (n > 1 && (i < 0 || i >= n))
        i = i < 0 ? -i : 2 * (n - 1) - i;
    return n > 1 ? i : 0;
}

static void test_read(void)
{
    const AeRange range = {-1, 2};

    for (size_t k = 0; k < G_N_ELEMENTS(layouts); k++) {
        AePlane plane = make_plane(k, 0);
        float row[3 * 20];

        uint16_t integers[W];

        fill_random(&plane, k);
        ae_plane_read_integers(&plane, 0, 3, plane.width, integers, 1);
        for (int x = 0; x < W; x++)
            g_assert_cmpint(integers[x], ==, get(&plane, x, 3));
        for (int step = 1; step <= 3; step += 2)
            for (int y = 0; y < 2 * H; y++) {
                ae_plane_read(&plane, y, 20, range, row, step);
                for (int x = 0; x < 20; x++) {
                    int v = get(&plane, mirrored(x, W), mirrored(y, H));

                    g_assert_cmpfloat_with_epsilon(
                        row[x * step],
                        -1 + 2.0f * (float)v / (float)most(&plane), 1e-6f);
                }
            }
    }
}

/* A read that is written is what it was, and nothing beside it changes. */
static void test_round_trip(void)
{
    const AeRange range = {-0.5f, 3};

    for (size_t k = 0; k < G_N_ELEMENTS(layouts); k++) {
        AePlane in = make_plane(k, 0), out = make_plane(k, 1);
        float row[2 * W];

        fill_random(&in, k + 10);
        for (int y = 0; y < H; y++) {
            ae_plane_read(&in, y, W, range, row, 1 + (int)k % 2);
            ae_plane_write(&out, 0, y, W, range, row, 1 + (int)k % 2);
        }
        g_assert_cmpmem(memory[0], SPACE, memory[1], SPACE);
    }
}

/* Bits of a word that are not the sample's do not count. */
static void test_stray_bits(void)
{
    for (size_t k = 0; k < G_N_ELEMENTS(layouts); k++) {
        AePlane plane = make_plane(k, 0);
        int free_bits = 16 - plane.bits;
        int stray = (1 << plane.shift) - 1;
        uint8_t *p = address(&plane, 2, 1);
        uint16_t integer;
        float v;

        if (plane.shift == 0)
            stray = ((1 << free_bits) - 1) << plane.bits;
        if (plane.bits == 8 || free_bits == 0)
            continue;
        set(&plane, 2, 1, 5);
        p[plane.big_endian ? 1 : 0] |= (uint8_t)(stray & 255);
        p[plane.big_endian ? 0 : 1] |= (uint8_t)(stray >> 8);
        ae_plane_read_integers(&plane, 2, 1, 1, &integer, 1);
        g_assert_cmpint(integer, ==, 5);
        ae_plane_read_lane(&plane, &(AeLane){2, 1, 1}, 0, 0, 1,
                           (AeRange){0, (float)most(&plane)}, &v, 1);
        g_assert_cmpfloat_with_epsilon(v, 5, 1e-4f);
    }
}

static void test_write(void)
{
    static const struct {
        float value;
        double part; /* of the largest sample */
    } cases[] = {{0, 0},      {1, 1},           {-3, 0},       {7, 1},
                 {0.5f, 0.5}, {NAN, 0},         {INFINITY, 1}, {-INFINITY, 0},
                 {0.2f, 0.2}, {0.7004f, 0.7004}};

    for (size_t k = 0; k < G_N_ELEMENTS(layouts); k++)
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
            AePlane plane = make_plane(k, 0);
            int before = get(&plane, 1, 3);

            ae_plane_write(&plane, 2, 3, 1, (AeRange){0, 1}, &cases[i].value,
                           1);
            g_assert_cmpint(get(&plane, 2, 3), ==,
                            (int)(cases[i].part * most(&plane) + 0.5));
            g_assert_cmpint(get(&plane, 1, 3), ==, before);
        }
}

static void test_lanes(void)
{
    const AeRange range = {0, 1};

    for (size_t k = 0; k < G_N_ELEMENTS(layouts); k++) {
        AePlane in = make_plane(k, 0), out = make_plane(k, 1);

        fill_random(&in, k + 20);
        for (int i = 0; i < 4; i++) {
            const AeLane lane = {i % 2, i / 2, 2};
            float row[9];

            for (int y = -1; y < 4; y++) {
                ae_plane_read_lane(&in, &lane, -3, y, 9, range, row, 1);
                for (int x = 0; x < 9; x++)
                    g_assert_cmpfloat_with_epsilon(
                        row[x] * (float)most(&in),
                        (float)get(&in, mirrored(lane.x + 2 * (x - 3), W),
                                   mirrored(lane.y + 2 * y, H)),
                        0.01f);
                if (y < 0)
                    continue;
                ae_plane_write_lane(&out, &lane, 1, y, 5, range, row + 4, 1);
                ae_plane_write_lane(&out, &lane, 0, y, 1, range, row + 3, 1);
            }
        }
        g_assert_cmpmem(memory[0], SPACE, memory[1], SPACE);
    }
}

static void test_blend(void)
{
    for (size_t k = 0; k < G_N_ELEMENTS(layouts); k++) {
        AePlane in = make_plane(k, 0), out = make_plane(k, 1);
        int before[W], last = get(&out, 0, 2);

        fill_random(&in, k + 30);
        fill_random(&out, k + 31);
        for (int x = 0; x < W; x++)
            before[x] = get(&out, x, 1);
        last = get(&out, 0, 2);
        ae_plane_blend(&out, &in, 0, 1, 2, 0.25f);
        ae_plane_blend(&out, &in, 2, 1, W, 0.25f);
        for (int x = 0; x < W; x++)
            g_assert_cmpint(
                get(&out, x, 1), ==,
                (int)(0.75 * get(&in, x, 1) + 0.25 * before[x] + 0.5));
        g_assert_cmpint(get(&out, 0, 2), ==, last);
    }
}

/* Three colours and a fourth plane, interleaved. */
static AePicture make_picture(uint8_t *data, int width, int height,
                              gboolean alpha)
{
    AePicture picture = ae_picture_of_bytes(data, width, height, 3);

    picture.format.n_planes = 4;
    picture.format.alpha = alpha;
    for (int c = 0; c < 4; c++)
        picture.plane[c] = ae_plane(data + c, width * 4, 4, width, height, 8);
    return picture;
}

static void test_copy(void)
{
    AePicture in = make_picture(memory[0], W, H, TRUE);
    AePicture out = make_picture(memory[1], W, H, TRUE);

    memset(memory, 0, sizeof memory);
    for (int c = 0; c < 4; c++)
        fill_random(&in.plane[c], 40 + (uint64_t)c);
    ae_picture_copy(&out, &in);
    g_assert_cmpmem(memory[0], SPACE, memory[1], SPACE);
    for (size_t k = 0; k < G_N_ELEMENTS(layouts); k++) {
        in.format.n_planes = out.format.n_planes = 1;
        in.plane[0] = make_plane(k, 0);
        out.plane[0] = make_plane(k, 1);
        fill_random(&in.plane[0], k + 50);
        ae_picture_copy(&out, &in);
        g_assert_cmpmem(memory[0], SPACE, memory[1], SPACE);
    }
}

/* Planes whose words differ hold the samples of the other after a copy. */
static void test_convert(void)
{
    for (size_t k = 0; k < G_N_ELEMENTS(layouts); k++)
        for (size_t l = 0; l < G_N_ELEMENTS(layouts); l++) {
            AePlane in = make_plane(k, 0), out = make_plane(l, 1);

            if (in.bits != out.bits)
                continue;
            fill_random(&in, k + 80);
            ae_plane_copy(&out, &in, W - 1);
            for (int y = 0; y < H; y++) {
                for (int x = 0; x < W - 1; x++)
                    g_assert_cmpint(get(&out, x, y), ==, get(&in, x, y));
                g_assert_cmpint(*address(&out, W - 1, y), ==, 0xee);
            }
        }
}

static void test_enlarge(void)
{
    for (int alpha = 0; alpha < 2; alpha++)
        for (int scale = 1; scale <= 3; scale++) {
            AePicture in = make_picture(memory[0], W, H, alpha);
            AePicture out =
                make_picture(memory[1], W * scale, H * scale, alpha);

            for (int c = 0; c < 4; c++)
                fill_random(&in.plane[c], 60 + (uint64_t)c);
            ae_picture_enlarge(&out, &in);
            for (int c = 0; c < 4; c++)
                for (int y = 0; y < H * scale; y++)
                    for (int x = 0; x < W * scale; x++)
                        g_assert_cmpint(
                            get(&out.plane[c], x, y), ==,
                            c == 3 && !alpha
                                ? 255
                                : get(&in.plane[c], x / scale, y / scale));
        }
}

/* The pixel whose middle is nearest, also where chroma has half a sample more
 * than its picture. */
static void test_enlarge_to_any_size(void)
{
    static const struct {
        int width, height, out_width, out_height;
    } cases[] = {{3, 2, 5, 3}, {4, 3, 7, 3}, {7, 5, 20, 9}, {1, 1, 3, 2}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        AePicture in =
            ae_picture_of_bytes(memory[0], cases[i].width, cases[i].height, 1);
        AePicture out = ae_picture_of_bytes(memory[1], cases[i].out_width,
                                            cases[i].out_height, 1);

        in.plane[0].width = (cases[i].width + 1) / 2;
        out.plane[0].width = (cases[i].out_width + 1) / 2;
        fill_random(&in.plane[0], 70 + i);
        ae_picture_enlarge(&out, &in);
        for (int y = 0; y < out.plane[0].height; y++)
            for (int x = 0; x < out.plane[0].width; x++) {
                int column =
                    (2 * x + 1) * cases[i].width / (2 * cases[i].out_width);
                int row =
                    (2 * y + 1) * cases[i].height / (2 * cases[i].out_height);

                column = MIN(column, in.plane[0].width - 1);
                g_assert_cmpint(get(&out.plane[0], x, y), ==,
                                get(&in.plane[0], column, row));
            }
    }
}

static void test_fill(void)
{
    for (size_t k = 0; k < G_N_ELEMENTS(layouts); k++) {
        AePlane plane = make_plane(k, 0), behind = plane;
        int before;

        behind.height++;
        before = get(&behind, 0, H);
        ae_plane_fill(&plane, most(&plane) / 2);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                g_assert_cmpint(get(&plane, x, y), ==, most(&plane) / 2);
        g_assert_cmpint(get(&behind, 0, H), ==, before);
    }
}

static void test_fields(void)
{
    uint8_t data[6 * 4 * 3];
    AePicture picture = ae_picture_of_bytes(data, 4, 6, 3);

    for (int c = 0; c < 3; c++)
        fill_random(&picture.plane[c], 70 + (uint64_t)c);
    for (int field = 0; field < 2; field++) {
        AePicture half = ae_picture_field(&picture, field, 2);

        g_assert_cmpint(half.format.height, ==, 3);
        for (int c = 0; c < 3; c++) {
            g_assert_cmpint(half.plane[c].height, ==, 3);
            for (int y = 0; y < 3; y++)
                g_assert_cmpint(get(&half.plane[c], 2, y), ==,
                                get(&picture.plane[c], 2, 2 * y + field));
        }
    }
}

static void test_yuv420(void)
{
    float planes[6 * 2 * 3], image[2 * 3 * AE_YUV420_CHANNELS];
    const int w = 3, h = 2;

    for (size_t i = 0; i < G_N_ELEMENTS(planes); i++)
        planes[i] = (float)i;
    ae_yuv420_pack(planes, w, h, image);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const float *pixel = image + (y * w + x) * AE_YUV420_CHANNELS;

            for (int c = 0; c < 4; c++)
                g_assert_cmpfloat(
                    pixel[c], ==,
                    (float)((2 * y + c / 2) * 2 * w + 2 * x + c % 2));
            g_assert_cmpfloat(pixel[4], ==, (float)(24 + y * w + x));
            g_assert_cmpfloat(pixel[5], ==, (float)(24 + w * h + y * w + x));
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/picture/read", test_read);
    g_test_add_func("/picture/round-trip", test_round_trip);
    g_test_add_func("/picture/stray-bits", test_stray_bits);
    g_test_add_func("/picture/write", test_write);
    g_test_add_func("/picture/lanes", test_lanes);
    g_test_add_func("/picture/blend", test_blend);
    g_test_add_func("/picture/copy", test_copy);
    g_test_add_func("/picture/convert", test_convert);
    g_test_add_func("/picture/enlarge", test_enlarge);
    g_test_add_func("/picture/enlarge-to-any-size", test_enlarge_to_any_size);
    g_test_add_func("/picture/fill", test_fill);
    g_test_add_func("/picture/fields", test_fields);
    g_test_add_func("/picture/yuv420", test_yuv420);
    return g_test_run();
}
