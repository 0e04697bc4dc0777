/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties declared by struct offset, so that setter, getter, lock and
 * default exist once.
 *
 *     typedef struct {
 *         GstPushSrc parent;
 *         const char *location;
 *         guint64 seed;
 *     } GstIdxSrc;
 *
 *     static const GstAeProperty properties[] = {
 *         {"location", "Location", "The idx file to read", G_TYPE_STRING,
 *          G_STRUCT_OFFSET(GstIdxSrc, location),
 *          .flags = GST_PARAM_MUTABLE_READY},
 *         {"seed", "Seed", "Orders the images", G_TYPE_UINT64,
 *          G_STRUCT_OFFSET(GstIdxSrc, seed), .number = 1},
 *     };
 *
 *     static void gst_idx_src_class_init(GstIdxSrcClass *klass)
 *     {
 *         gst_ae_properties_install(G_OBJECT_CLASS(klass), properties,
 *                                   G_N_ELEMENTS(properties), NULL);
 *
 * That is all: the fields have their defaults when the instance exists, and
 * strings are freed with it. A subclass of such a class installs a table of its
 * own (or none); each property is served by the table that declared it.
 *
 * Fields are read and written under the object lock. While other threads may
 * set properties, an element reads its fields under GST_OBJECT_LOCK, or strings
 * with gst_ae_property_dup(). */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstAeProperty:
 * @type: G_TYPE_STRING (field: const char *, default @text), G_TYPE_BOOLEAN,
 *   G_TYPE_INT, G_TYPE_UINT, G_TYPE_INT64, G_TYPE_UINT64, G_TYPE_FLOAT,
 *   G_TYPE_DOUBLE, G_TYPE_ENUM with @get_type or the type of an enum itself
 *   (field: the enum, default @number), or G_TYPE_BOXED (with @get)
 * @offset: G_STRUCT_OFFSET of the field in the instance
 * @number: default
 * @minimum, @maximum: range of a number; both 0: all that the type holds
 *   (G_TYPE_UINT64: always all)
 * @get_type: the type of an enum or boxed value
 * @get: for a read-only property that is no plain field: called under the
 *   object lock to set @value
 * @flags: further GParamFlags, GST_PARAM_CONTROLLABLE and GST_PARAM_MUTABLE_*
 *   among them; G_PARAM_READABLE alone makes it read-only
 */
typedef struct {
    const char *name, *nick, *blurb;
    GType type;
    gsize offset;
    double number, minimum, maximum;
    const char *text;
    GType (*get_type)(void);
    void (*get)(gpointer element, GValue *value);
    guint flags;
} GstAeProperty;

/* Called after a property was set, without the lock, in the thread that set it;
 * also once for each property with its default, while the object is made. */
typedef void (*GstAePropertyChanged)(GstElement *element, const char *name);

/* Installs @table on @klass, from its class_init. @table must live for ever. */
void gst_ae_properties_install(GObjectClass *klass, const GstAeProperty *table,
                               guint n, GstAePropertyChanged changed);

/* The enum type @name, registered once as the plugin's API; @type is the
 * caller's static, @values live for ever. */
GType gst_ae_enum_type(gsize *type, const char *name, const GEnumValue *values);

/* Gives controlled properties the values of @buffer's time in the stream. */
void gst_ae_properties_sync(GstElement *element, const GstSegment *segment,
                            const GstBuffer *buffer);

/* A copy of a string field, taken under the object lock. */
char *gst_ae_property_dup(gpointer element, const char *const *field);

G_END_DECLS
