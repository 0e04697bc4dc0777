/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Samples of pictures as floats and back; all else that moves samples. */
#include "video/plane.h"

#include <string.h>

#include "base/error.h"

static const AeLane all_samples = {0, 0, 1};

AePicture ae_picture_of_bytes(uint8_t *data, int width, int height,
                              int channels)
{
    AePicture picture = {
        .format = {.name = channels == 3 ? "RGB" : "GRAY8",
                   .colour = channels == 3 ? AE_COLOUR_RGB : AE_COLOUR_GRAY,
                   .width = width,
                   .height = height,
                   .bits = 8,
                   .n_planes = channels,
                   .n_colours = channels},
    };

    for (int c = 0; c < channels; c++)
        picture.plane[c] =
            ae_plane(data + c, width * channels, channels, width, height, 8);
    return picture;
}

gboolean ae_picture_check(const AePictureFormat *format, GError **error)
{
    const int most = AE_PICTURE_SIDE;

    if (format->width >= 1 && format->width <= most && format->height >= 1 &&
        format->height <= most)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "pictures of %dx%d are not supported: a side has 1 to %d "
                "pixels",
                format->width, format->height, most);
    return FALSE;
}

gboolean ae_picture_is_yuv420(const AePictureFormat *format)
{
    return format->colour == AE_COLOUR_YUV && format->log2_x[1] == 1 &&
           format->log2_y[1] == 1;
}

AePicture ae_picture_field(const AePicture *picture, int field, int fields)
{
    AePicture result = *picture;

    result.format.height /= fields;
    for (int c = 0; c < picture->format.n_planes; c++) {
        AePlane *plane = &result.plane[c];

        plane->data += (ptrdiff_t)field * plane->stride;
        plane->stride *= fields;
        plane->height /= fields;
    }
    return result;
}

static uint8_t *sample_at(const AePlane *plane, int x, int y)
{
    return plane->data + (ptrdiff_t)y * plane->stride +
           (ptrdiff_t)x * plane->step;
}

static int bytes_of(const AePlane *plane)
{
    return plane->bits > 8 ? 2 : 1;
}

int ae_plane_most(const AePlane *plane)
{
    return plane->bits == AE_PLANE_FLOAT ? 1 : (1 << plane->bits) - 1;
}

/* How samples that are no floats lie in memory. Loops that matter have one that
 * the compiler knows. */
typedef struct {
    int bytes, shift;
    gboolean big_endian;
    unsigned most;
} Layout;

static Layout layout_of(const AePlane *plane)
{
    return (Layout){bytes_of(plane), plane->shift, plane->big_endian,
                    (unsigned)ae_plane_most(plane)};
}

static gboolean is_plain(const AePlane *plane)
{
    return plane->shift == 0 && !plane->big_endian;
}

static inline unsigned load(const uint8_t *from, Layout layout)
{
    uint16_t word;

    if (layout.bytes == 1)
        return *from;
    memcpy(&word, from, sizeof word);
    word = layout.big_endian ? GUINT16_FROM_BE(word) : GUINT16_FROM_LE(word);
    return ((unsigned)word >> layout.shift) & layout.most;
}

static inline void store(uint8_t *to, unsigned v, Layout layout)
{
    uint16_t word = (uint16_t)(v << layout.shift);

    word = layout.big_endian ? GUINT16_TO_BE(word) : GUINT16_TO_LE(word);
    if (layout.bytes == 1)
        *to = (uint8_t)v;
    else
        memcpy(to, &word, sizeof word);
}

void ae_plane_read_integers(const AePlane *plane, int x, int y, int n,
                            uint16_t *target, int step)
{
    const uint8_t *source = sample_at(plane, x, y);
    const Layout layout = layout_of(plane);

    if (plane->step == 1 && step == 1)
        for (int i = 0; i < n; i++)
            target[i] = source[i];
    else
        for (int i = 0; i < n; i++, source += plane->step, target += step)
            *target = (uint16_t)load(source, layout);
}

static inline void read_samples(float *target, int target_step,
                                const uint8_t *source, int source_step, int n,
                                AeRange range, Layout layout)
{
    for (int x = 0; x < n; x++) {
        int v = (int)load(source + (size_t)x * source_step, layout);

        target[(size_t)x * target_step] =
            range.low + (float)v / (float)layout.most * range.span;
    }
}

static inline void read_floats(float *target, int target_step,
                               const uint8_t *source, int source_step, int n,
                               AeRange range)
{
    for (int x = 0; x < n; x++) {
        float v;

        memcpy(&v, source + (size_t)x * source_step, sizeof v);
        v = v > 0.0f ? v : 0.0f;
        v = v < 1.0f ? v : 1.0f;
        target[(size_t)x * target_step] = range.low + v * range.span;
    }
}

/* Reads @n samples from @source on, @source_step bytes apart. The loops that
 * matter know their steps. */
static void read_run(const AePlane *plane, const uint8_t *source,
                     int source_step, int n, AeRange range, float *target,
                     int step)
{
    const Layout bytes = {1, 0, FALSE, 255}, layout = layout_of(plane);
    const Layout words = {2, 0, FALSE, layout.most};

    if (plane->bits == AE_PLANE_FLOAT && source_step == 4 && step == 1)
        read_floats(target, 1, source, 4, n, range);
    else if (plane->bits == AE_PLANE_FLOAT)
        read_floats(target, step, source, source_step, n, range);
    else if (plane->bits > 8 && is_plain(plane) && source_step == 2 &&
             step == 1)
        read_samples(target, 1, source, 2, n, range, words);
    else if (plane->bits > 8)
        read_samples(target, step, source, source_step, n, range, layout);
    else if (source_step == 1 && step == 1)
        read_samples(target, 1, source, 1, n, range, bytes);
    else
        read_samples(target, step, source, source_step, n, range, bytes);
}

/* Reflection without repeating the edge: 0 1 2 | 1 0 1 2 1 ... */
static int reflect(int i, int n)
{
    int period = MAX(2 * (n - 1), 1);

    i = ABS(i) % period;
    return i < n ? i : period - i;
}

/* The number of a lane's samples in a row of @width. */
static int lane_width(const AeLane *lane, int width)
{
    return MAX((width - lane->x + lane->every - 1) / lane->every, 0);
}

/* Samples @i to @end of a lane's row @row, all outside of the plane. */
static void read_reflected(const AePlane *plane, const AeLane *lane, int x,
                           int row, int i, int end, AeRange range,
                           float *target, int step)
{
    for (; i < end; i++)
        read_run(
            plane,
            sample_at(plane,
                      reflect(lane->x + (x + i) * lane->every, plane->width),
                      row),
            plane->step, 1, range, target + (size_t)i * step, step);
}

void ae_plane_read_lane(const AePlane *plane, const AeLane *lane, int x, int y,
                        int n, AeRange range, float *target, int step)
{
    int every = lane->every;
    int row = reflect(lane->y + y * every, plane->height);
    int begin = CLAMP(-x, 0, n);
    int end = CLAMP(lane_width(lane, plane->width) - x, begin, n);

    read_reflected(plane, lane, x, row, 0, begin, range, target, step);
    if (end > begin)
        read_run(plane, sample_at(plane, lane->x + (x + begin) * every, row),
                 plane->step * every, end - begin, range,
                 target + (size_t)begin * step, step);
    read_reflected(plane, lane, x, row, end, n, range, target, step);
}

void ae_plane_read(const AePlane *plane, int y, int n, AeRange range,
                   float *target, int step)
{
    ae_plane_read_lane(plane, &all_samples, 0, y, n, range, target, step);
}

static inline void write_samples(uint8_t *target, int target_step,
                                 const float *source, int source_step, int n,
                                 AeRange range, Layout layout)
{
    float most = (float)layout.most, scale = most / range.span;

    for (int x = 0; x < n; x++) {
        float v = (source[(size_t)x * source_step] - range.low) * scale + 0.5f;

        v = v > 0.0f ? v : 0.0f;
        v = v < most ? v : most;
        store(target + (size_t)x * target_step, (unsigned)(int)v, layout);
    }
}

static inline void write_floats(uint8_t *target, int target_step,
                                const float *source, int source_step, int n,
                                AeRange range)
{
    float scale = 1 / range.span;

    for (int x = 0; x < n; x++) {
        float v = (source[(size_t)x * source_step] - range.low) * scale;

        v = v > 0.0f ? v : 0.0f;
        v = v < 1.0f ? v : 1.0f;
        memcpy(target + (size_t)x * target_step, &v, sizeof v);
    }
}

static void write_run(const AePlane *plane, uint8_t *target, int target_step,
                      int n, AeRange range, const float *source, int step)
{
    const Layout bytes = {1, 0, FALSE, 255}, layout = layout_of(plane);
    const Layout words = {2, 0, FALSE, layout.most};

    if (plane->bits == AE_PLANE_FLOAT && target_step == 4 && step == 1)
        write_floats(target, 4, source, 1, n, range);
    else if (plane->bits == AE_PLANE_FLOAT)
        write_floats(target, target_step, source, step, n, range);
    else if (plane->bits > 8 && is_plain(plane) && target_step == 2 &&
             step == 1)
        write_samples(target, 2, source, 1, n, range, words);
    else if (plane->bits > 8)
        write_samples(target, target_step, source, step, n, range, layout);
    else if (target_step == 1 && step == 1)
        write_samples(target, 1, source, 1, n, range, bytes);
    else
        write_samples(target, target_step, source, step, n, range, bytes);
}

void ae_plane_write(const AePlane *plane, int x, int y, int n, AeRange range,
                    const float *source, int step)
{
    write_run(plane, sample_at(plane, x, y), plane->step, n, range, source,
              step);
}

void ae_plane_write_lane(const AePlane *plane, const AeLane *lane, int x, int y,
                         int n, AeRange range, const float *source, int step)
{
    int row = lane->y + y * lane->every;

    if (row < plane->height)
        write_run(plane, sample_at(plane, lane->x + x * lane->every, row),
                  plane->step * lane->every,
                  MIN(lane_width(lane, plane->width) - x, n), range, source,
                  step);
}

void ae_plane_fill(const AePlane *plane, int v)
{
    const Layout layout = layout_of(plane);

    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++)
            store(sample_at(plane, x, y), (unsigned)v, layout);
}

void ae_plane_blend(const AePlane *out, const AePlane *in, int x, int y, int n,
                    float strength)
{
    const Layout layout = layout_of(out), other = layout_of(in);

    for (int end = MIN(x + n, out->width); x < end; x++) {
        uint8_t *target = sample_at(out, x, y);
        int from = (int)load(sample_at(in, x, y), other);
        int to = (int)load(target, layout);
        float v = (float)from + strength * (float)(to - from);

        store(target, (unsigned)(int)(v + 0.5f), layout);
    }
}

static inline void copy_samples(uint8_t *target, int target_step,
                                const uint8_t *source, int source_step,
                                size_t bytes, int n)
{
    for (int x = 0; x < n; x++)
        memcpy(target + (size_t)x * target_step,
               source + (size_t)x * source_step, bytes);
}

static void convert_samples(uint8_t *target, const AePlane *out,
                            const uint8_t *source, const AePlane *in, int n)
{
    const Layout to = layout_of(out), from = layout_of(in);

    for (int x = 0; x < n; x++)
        store(target + (size_t)x * out->step,
              load(source + (size_t)x * in->step, from), to);
}

void ae_plane_copy(const AePlane *out, const AePlane *in, int n)
{
    int bytes = bytes_of(out);
    gboolean alike =
        out->shift == in->shift && out->big_endian == in->big_endian;

    for (int y = 0; y < out->height; y++) {
        uint8_t *target = sample_at(out, 0, y);
        const uint8_t *source = sample_at(in, 0, y);

        if (!alike)
            convert_samples(target, out, source, in, n);
        else if (out->step == bytes && in->step == bytes)
            memcpy(target, source, (size_t)n * bytes);
        else if (bytes == 1)
            copy_samples(target, out->step, source, in->step, 1, n);
        else
            copy_samples(target, out->step, source, in->step, 2, n);
    }
}

void ae_picture_copy(const AePicture *out, const AePicture *in)
{
    for (int c = 0; c < out->format.n_planes; c++)
        ae_plane_copy(&out->plane[c], &in->plane[c], out->plane[c].width);
}

/* Walks from sample to sample of a small row (or column) beside those of a
 * large one: the middle of large sample x lies at (2 x + 1) in / (2 out). */
typedef struct {
    int64_t in, out, rest; /* rest: of that position, times 2 out */
    int at, last;          /* samples of the small row */
} Walk;

static Walk walk_begin(int in, int out, int samples)
{
    return (Walk){in, out, in, 0, samples - 1};
}

static inline void walk_on(Walk *walk)
{
    walk->rest += 2 * walk->in;
    if (walk->rest >= 2 * walk->out) {
        walk->rest -= 2 * walk->out;
        walk->at += walk->at < walk->last;
    }
}

static inline void repeat_samples(const AePlane *out, int y, const AePlane *in,
                                  int row, Walk walk, size_t bytes)
{
    uint8_t *target = sample_at(out, 0, y);
    const uint8_t *source = sample_at(in, 0, row);

    for (int x = 0; x < out->width; x++, walk_on(&walk))
        memcpy(target + (size_t)x * out->step,
               source + (size_t)walk.at * in->step, bytes);
}

static void enlarge_plane(const AePicture *out, const AePicture *in, int c)
{
    const AePictureFormat *large = &out->format, *small = &in->format;
    const AePlane *to = &out->plane[c], *from = &in->plane[c];
    Walk across = walk_begin(small->width, large->width, from->width);
    Walk down = walk_begin(small->height, large->height, from->height);

    for (int y = 0; y < to->height; y++, walk_on(&down))
        if (bytes_of(to) == 1)
            repeat_samples(to, y, from, down.at, across, 1);
        else
            repeat_samples(to, y, from, down.at, across, 2);
}

void ae_picture_enlarge(const AePicture *out, const AePicture *in)
{
    const AePictureFormat *format = &out->format;

    for (int c = 0; c < format->n_planes; c++)
        if (c < format->n_colours || format->alpha)
            enlarge_plane(out, in, c);
        else
            ae_plane_fill(&out->plane[c], 255);
}

void ae_yuv420_pack(const float *planes, int width, int height, float *image)
{
    enum { N = AE_YUV420_CHANNELS };

    for (int y = 0; y < 2 * height; y++)
        for (int x = 0; x < 2 * width; x++)
            image[(y / 2 * width + x / 2) * N + y % 2 * 2 + x % 2] = *planes++;
    for (int c = 4; c < N; c++)
        for (int i = 0; i < width * height; i++)
            image[i * N + c] = *planes++;
}
