/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of video elements share: frames, and what is heard on the bus. */
#pragma once

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <stdint.h>

/* Tells the harness's element that frames of @format come; fills @info. */
void frames_set_caps(GstHarness *harness, GstVideoInfo *info,
                     const char *format, int width, int height);

/* Takes the element, which gets a bus, if @bus is not NULL. */
GstHarness *frames_put_in_harness(GstElement *element, GstBus **bus);

/* Frees both; @bus: the element's, or NULL. */
void frames_free_harness(GstHarness *harness, GstBus *bus);

/* Random samples, at @seed * 40 ms. */
GstBuffer *frames_new_frame(const GstVideoInfo *info, uint64_t seed);

/* Rows 24 bytes further apart and planes 40 bytes than they need be. */
GstBuffer *frames_new_padded_frame(const GstVideoInfo *info, uint64_t seed);

/* All bits in memory of a sample, and the sample. */
int frames_word(const GstVideoFrame *frame, int component, int x, int y);
int frames_sample(const GstVideoFrame *frame, int component, int x, int y);

void frames_set_sample(GstVideoFrame *frame, int component, int x, int y,
                       int value);

/* The largest sample: 255 for 8 bits. */
int frames_most(const GstVideoFrame *frame, int component);

/* The text of the error or warning that is on the bus, or is to come. */
char *frames_pop_text(GstBus *bus, GstMessageType type, GQuark domain);

void frames_assert_contains(const char *text, const char *part);

/* Lets a property go from one number to another in a second. */
void frames_control(GstElement *element, const char *property, double from,
                    double to);

/* A number of the element's `stats`. */
guint64 frames_get_stat(GstElement *element, const char *name);
