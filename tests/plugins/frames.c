/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frames.h"

#include <gst/controller/controller.h>
#include <string.h>

#include "ae.h"
#include "base/random.h"

void frames_set_caps(GstHarness *harness, GstVideoInfo *info,
                     const char *format, int width, int height)
{
    gst_video_info_set_format(info, gst_video_format_from_string(format), width,
                              height);
    info->fps_n = 25;
    info->fps_d = 1;
    gst_harness_set_src_caps(harness, gst_video_info_to_caps(info));
}

GstHarness *frames_put_in_harness(GstElement *element, GstBus **bus)
{
    GstHarness *harness;

    if (bus != NULL) {
        *bus = gst_bus_new();
        gst_element_set_bus(element, *bus);
    }
    harness = gst_harness_new_with_element(element, "sink", "src");
    gst_object_unref(element);
    return harness;
}

void frames_free_harness(GstHarness *harness, GstBus *bus)
{
    gst_element_set_bus(harness->element, NULL);
    gst_harness_teardown(harness);
    if (bus != NULL)
        gst_object_unref(bus);
}

static gboolean is_big_endian(const GstVideoInfo *info)
{
    return !GST_VIDEO_FORMAT_INFO_IS_LE(info->finfo);
}

/* Samples of more than 8 bits have no more than theirs. */
static void fill(GstBuffer *buffer, const GstVideoInfo *info, uint64_t seed)
{
    uint16_t bits = (uint16_t)(((1 << GST_VIDEO_INFO_COMP_DEPTH(info, 0)) - 1)
                               << GST_VIDEO_FORMAT_INFO_SHIFT(info->finfo, 0));
    AeRandom random = ae_random(seed, 0);
    GstMapInfo map;

    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    for (gsize i = 0; i < map.size; i++)
        map.data[i] = (uint8_t)ae_random_bits(&random);
    if (is_big_endian(info))
        bits = GUINT16_SWAP_LE_BE(bits);
    for (gsize i = 0;
         GST_VIDEO_INFO_COMP_DEPTH(info, 0) > 8 && i + 1 < map.size; i += 2)
        GST_WRITE_UINT16_LE(map.data + i,
                            GST_READ_UINT16_LE(map.data + i) & bits);
    gst_buffer_unmap(buffer, &map);
}

GstBuffer *frames_new_frame(const GstVideoInfo *info, uint64_t seed)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info->size, NULL);

    fill(buffer, info, seed);
    GST_BUFFER_PTS(buffer) = seed * 40 * GST_MSECOND;
    return buffer;
}

/* Rows 24 bytes further apart and planes 40 bytes than they need be. */
GstBuffer *frames_new_padded_frame(const GstVideoInfo *info, uint64_t seed)
{
    int planes = GST_VIDEO_INFO_N_PLANES(info);
    gsize offsets[GST_VIDEO_MAX_PLANES], size = 0;
    int strides[GST_VIDEO_MAX_PLANES];
    GstBuffer *buffer;

    for (int i = 0; i < planes; i++) {
        strides[i] = GST_VIDEO_INFO_PLANE_STRIDE(info, i) + 24;
        offsets[i] = size + 40;
        size = offsets[i] + (gsize)strides[i] * GST_VIDEO_INFO_HEIGHT(info);
    }
    buffer = gst_buffer_new_allocate(NULL, size, NULL);
    fill(buffer, info, seed);
    gst_buffer_add_video_meta_full(
        buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(info),
        GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info), planes,
        offsets, strides);
    return buffer;
}

/* GStreamer 1.22 says 1 for the second of two words. */
static uint8_t *sample_at(const GstVideoFrame *frame, int c, int x, int y)
{
    uint8_t *row =
        GST_VIDEO_FRAME_PLANE_DATA(frame, GST_VIDEO_FRAME_COMP_PLANE(frame, c));
    int first = GST_VIDEO_FRAME_COMP_POFFSET(frame, c);

    if (first == 1 && GST_VIDEO_FRAME_COMP_DEPTH(frame, c) > 8)
        first = 2;
    row += (gsize)y * GST_VIDEO_FRAME_COMP_STRIDE(frame, c);
    return row + (gsize)x * GST_VIDEO_FRAME_COMP_PSTRIDE(frame, c) + first;
}

int frames_word(const GstVideoFrame *frame, int component, int x, int y)
{
    const uint8_t *sample = sample_at(frame, component, x, y);

    if (GST_VIDEO_FRAME_COMP_DEPTH(frame, component) == 8)
        return *sample;
    return is_big_endian(&frame->info) ? GST_READ_UINT16_BE(sample)
                                       : GST_READ_UINT16_LE(sample);
}

int frames_sample(const GstVideoFrame *frame, int component, int x, int y)
{
    return frames_word(frame, component, x, y) >>
           GST_VIDEO_FORMAT_INFO_SHIFT(frame->info.finfo, component);
}

void frames_set_sample(GstVideoFrame *frame, int component, int x, int y,
                       int value)
{
    uint8_t *sample = sample_at(frame, component, x, y);

    value <<= GST_VIDEO_FORMAT_INFO_SHIFT(frame->info.finfo, component);
    if (GST_VIDEO_FRAME_COMP_DEPTH(frame, component) == 8)
        *sample = (uint8_t)value;
    else if (is_big_endian(&frame->info))
        GST_WRITE_UINT16_BE(sample, value);
    else
        GST_WRITE_UINT16_LE(sample, value);
}

int frames_most(const GstVideoFrame *frame, int component)
{
    return (1 << GST_VIDEO_FRAME_COMP_DEPTH(frame, component)) - 1;
}

/* The text of the error or warning that is on the bus, or is to come. */
char *frames_pop_text(GstBus *bus, GstMessageType type, GQuark domain)
{
    g_autoptr(GstMessage) message =
        gst_bus_timed_pop_filtered(bus, 10 * GST_SECOND, type);
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(message);
    if (type == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, NULL);
    else
        gst_message_parse_warning(message, &error, NULL);
    g_assert_cmpstr(g_quark_to_string(error->domain), ==,
                    g_quark_to_string(domain));
    return g_strdup(error->message);
}

void frames_assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        g_error("'%s' does not say '%s'", text, part);
}

void frames_control(GstElement *element, const char *property, double from,
                    double to)
{
    GstControlSource *ramp = gst_interpolation_control_source_new();
    GstTimedValueControlSource *values = GST_TIMED_VALUE_CONTROL_SOURCE(ramp);

    g_object_set(ramp, "mode", GST_INTERPOLATION_MODE_LINEAR, NULL);
    gst_timed_value_control_source_set(values, 0, from);
    gst_timed_value_control_source_set(values, GST_SECOND, to);
    g_assert_true(gst_object_add_control_binding(
        GST_OBJECT(element), gst_direct_control_binding_new_absolute(
                                 GST_OBJECT(element), property, ramp)));
    gst_object_unref(ramp);
}

guint64 frames_get_stat(GstElement *element, const char *name)
{
    g_autoptr(GstStructure) stats = NULL;
    guint64 value = 0;

    g_object_get(element, "stats", &stats, NULL);
    g_assert_true(gst_structure_get_uint64(stats, name, &value));
    return value;
}
