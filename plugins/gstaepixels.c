/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstaepixels.h"

gboolean gst_ae_pixels_accept(const GstAeModel *model, int channels,
                              const GstVideoInfo *info, GError **error)
{
    if (channels != 3 || GST_VIDEO_INFO_IS_RGB(info))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "model '%s' wants RGB, but this video is %s: put a "
                "videoconvert before the element",
                model->label, GST_VIDEO_INFO_NAME(info));
    return FALSE;
}

gboolean gst_ae_pixels_have_rest(const GstVideoInfo *info)
{
    return GST_VIDEO_INFO_HAS_ALPHA(info) ||
           (GST_VIDEO_INFO_IS_RGB(info) &&
            GST_VIDEO_INFO_COMP_PSTRIDE(info, 0) == 4);
}

static uint8_t *sample_at(const GstVideoFrame *frame, int component, int x,
                          int y)
{
    return GST_VIDEO_FRAME_COMP_DATA(frame, component) +
           (gsize)y * GST_VIDEO_FRAME_COMP_STRIDE(frame, component) +
           (gsize)x * GST_VIDEO_FRAME_COMP_PSTRIDE(frame, component);
}

/* Whether a sample has more than 8 bits, the lowest of a little-endian word. */
static gboolean is_deep(const GstVideoFrame *frame, int component)
{
    return GST_VIDEO_FRAME_COMP_DEPTH(frame, component) > 8;
}

static unsigned most_of(const GstVideoFrame *frame, int component)
{
    return (1u << GST_VIDEO_FRAME_COMP_DEPTH(frame, component)) - 1;
}

static inline void read_samples(float *target, int target_step,
                                const uint8_t *source, int source_step, int n,
                                float low, float span)
{
    for (int x = 0; x < n; x++)
        target[(gsize)x * target_step] =
            low + source[(gsize)x * source_step] / 255.0f * span;
}

static inline void read_words(float *target, int target_step,
                              const uint8_t *source, int source_step, int n,
                              const AeRange *range, unsigned most)
{
    float low = range->low, span = range->span;

    for (int x = 0; x < n; x++) {
        unsigned v = GST_READ_UINT16_LE(source + (gsize)x * source_step);

        target[(gsize)x * target_step] =
            low + (float)(int)(v & most) / (float)most * span;
    }
}

/* Reflection without repeating the edge: 0 1 2 | 1 0 1 2 1 ... */
static int reflect(int i, int n)
{
    int period = MAX(2 * (n - 1), 1);

    i %= period;
    return i < n ? i : period - i;
}

/* @n samples from @source on, @source_step bytes apart. */
static void read_run(const GstVideoFrame *frame, int component,
                     const uint8_t *source, int source_step, int n,
                     const AeRange *range, float *target, int step)
{
    if (is_deep(frame, component) && source_step == 2 && step == 1)
        read_words(target, 1, source, 2, n, range, most_of(frame, component));
    else if (is_deep(frame, component))
        read_words(target, step, source, source_step, n, range,
                   most_of(frame, component));
    else if (source_step == 1 && step == 1)
        read_samples(target, 1, source, 1, n, range->low, range->span);
    else
        read_samples(target, step, source, source_step, n, range->low,
                     range->span);
}

/* How many samples of a row of @width are the lane's. */
static int lane_width(const GstAeLane *lane, int width)
{
    return MAX((width - lane->x + lane->every - 1) / lane->every, 0);
}

void gst_ae_pixels_read_lane(const GstVideoFrame *frame, const GstAeLane *lane,
                             int row, int n, const AeRange *range,
                             float *target, int step)
{
    int c = lane->component, every = lane->every;
    int width = GST_VIDEO_FRAME_COMP_WIDTH(frame, c);
    int y =
        reflect(lane->y + row * every, GST_VIDEO_FRAME_COMP_HEIGHT(frame, c));
    int sample_step = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, c);
    int there = MIN(lane_width(lane, width), n);

    read_run(frame, c, sample_at(frame, c, lane->x, y), sample_step * every,
             there, range, target, step);
    for (int i = there; i < n; i++)
        read_run(frame, c,
                 sample_at(frame, c, reflect(lane->x + i * every, width), y),
                 sample_step, 1, range, target + (gsize)i * step, step);
}

void gst_ae_pixels_read(const GstVideoFrame *frame, int component, int y, int n,
                        const AeRange *range, float *target, int step)
{
    GstAeLane all = {component, 0, 0, 1};

    gst_ae_pixels_read_lane(frame, &all, y, n, range, target, step);
}

static inline void write_samples(uint8_t *target, int target_step,
                                 const float *source, int source_step, int n,
                                 float low, float scale)
{
    for (int x = 0; x < n; x++) {
        float v = (source[(gsize)x * source_step] - low) * scale + 0.5f;

        v = v > 0.0f ? v : 0.0f;
        v = v < 255.0f ? v : 255.0f;
        target[(gsize)x * target_step] = (uint8_t)v;
    }
}

static inline void write_words(uint8_t *target, int target_step,
                               const float *source, int source_step, int n,
                               const AeRange *range, unsigned most)
{
    float low = range->low, scale = (float)most / range->span;

    for (int x = 0; x < n; x++) {
        float v = (source[(gsize)x * source_step] - low) * scale + 0.5f;

        v = v > 0.0f ? v : 0.0f;
        v = v < (float)most ? v : (float)most;
        GST_WRITE_UINT16_LE(target + (gsize)x * target_step, (uint16_t)v);
    }
}

static void write_run(GstVideoFrame *frame, int component, uint8_t *target,
                      int target_step, int n, const AeRange *range,
                      const float *source, int step)
{
    float scale = 255.0f / range->span;

    if (is_deep(frame, component) && target_step == 2 && step == 1)
        write_words(target, 2, source, 1, n, range, most_of(frame, component));
    else if (is_deep(frame, component))
        write_words(target, target_step, source, step, n, range,
                    most_of(frame, component));
    else if (target_step == 1 && step == 1)
        write_samples(target, 1, source, 1, n, range->low, scale);
    else
        write_samples(target, target_step, source, step, n, range->low, scale);
}

void gst_ae_pixels_write(GstVideoFrame *frame, int component, int x, int y,
                         int n, const AeRange *range, const float *source,
                         int step)
{
    write_run(frame, component, sample_at(frame, component, x, y),
              GST_VIDEO_FRAME_COMP_PSTRIDE(frame, component), n, range, source,
              step);
}

void gst_ae_pixels_write_lane(GstVideoFrame *frame, const GstAeLane *lane,
                              int row, const AeRange *range,
                              const float *source, int step)
{
    int c = lane->component, y = lane->y + row * lane->every;

    if (y < GST_VIDEO_FRAME_COMP_HEIGHT(frame, c))
        write_run(frame, c, sample_at(frame, c, lane->x, y),
                  GST_VIDEO_FRAME_COMP_PSTRIDE(frame, c) * lane->every,
                  lane_width(lane, GST_VIDEO_FRAME_COMP_WIDTH(frame, c)), range,
                  source, step);
}

static int blended(int in, int out, float strength)
{
    return (int)((float)in + strength * (float)(out - in) + 0.5f);
}

void gst_ae_pixels_blend(GstVideoFrame *out, const GstVideoFrame *in,
                         int component, int y, float strength)
{
    uint8_t *target = sample_at(out, component, 0, y);
    const uint8_t *source = sample_at(in, component, 0, y);
    int step = GST_VIDEO_FRAME_COMP_PSTRIDE(out, component);
    int n = GST_VIDEO_FRAME_COMP_WIDTH(out, component);
    gboolean deep = is_deep(out, component);
    int most = (int)most_of(out, component);

    for (int x = 0; x < n; x++, target += step, source += step)
        if (deep)
            GST_WRITE_UINT16_LE(
                target,
                (uint16_t)blended(GST_READ_UINT16_LE(source) & most,
                                  GST_READ_UINT16_LE(target), strength));
        else
            *target = (uint8_t)blended(*source, *target, strength);
}

/* gst_video_frame_copy() leaves out the last chroma of YUY2 and UYVY where
 * their width is odd. */
void gst_ae_pixels_copy(GstVideoFrame *out, const GstVideoFrame *in)
{
    gst_video_frame_copy(out, in);
    for (int c = 0; c < (int)GST_VIDEO_FRAME_N_COMPONENTS(out); c++)
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(out, c); y++) {
            int x = GST_VIDEO_FRAME_COMP_WIDTH(out, c) - 1;

            memcpy(sample_at(out, c, x, y), sample_at(in, c, x, y),
                   is_deep(out, c) ? 2 : 1);
        }
}

/* @size: bytes a sample */
static inline void enlarge_row(uint8_t *target, int target_step,
                               const uint8_t *source, int source_step, int size,
                               int n, int scale)
{
    for (int x = 0; x < n; source += source_step)
        for (int k = 0; k < scale && x < n; k++, x++)
            memcpy(target + (gsize)x * target_step, source, (gsize)size);
}

static void enlarge_component(GstVideoFrame *out, const GstVideoFrame *in,
                              int c, int scale)
{
    int width = GST_VIDEO_FRAME_COMP_WIDTH(out, c);
    int target_step = GST_VIDEO_FRAME_COMP_PSTRIDE(out, c);
    int source_step = GST_VIDEO_FRAME_COMP_PSTRIDE(in, c);

    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(out, c); y++) {
        uint8_t *target = sample_at(out, c, 0, y);
        const uint8_t *source = sample_at(in, c, 0, y / scale);

        if (is_deep(out, c))
            enlarge_row(target, target_step, source, source_step, 2, width,
                        scale);
        else
            enlarge_row(target, target_step, source, source_step, 1, width,
                        scale);
    }
}

static void fill_padding(GstVideoFrame *frame)
{
    for (int y = 0; y < GST_VIDEO_FRAME_HEIGHT(frame); y++)
        memset((uint8_t *)GST_VIDEO_FRAME_PLANE_DATA(frame, 0) +
                   (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0),
               255, (gsize)GST_VIDEO_FRAME_WIDTH(frame) * 4);
}

void gst_ae_pixels_enlarge(GstVideoFrame *out, const GstVideoFrame *in,
                           int scale)
{
    if (gst_ae_pixels_have_rest(&out->info) &&
        !GST_VIDEO_INFO_HAS_ALPHA(&out->info))
        fill_padding(out);
    for (int c = 0; c < (int)GST_VIDEO_FRAME_N_COMPONENTS(out); c++)
        enlarge_component(out, in, c, scale);
}
