/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One setter and one getter for all elements. GObject calls the functions of
 * the class that a property belongs to, so the table is found by owner type.
 * Strings are owned by the object's data, which GObject frees at the very end;
 * the field only points to them. */
#include "gstaeproperties.h"

typedef struct {
    const GstAeProperty *table;
    GstAePropertyChanged changed;
} Installed;

static GQuark installed_quark(void)
{
    return g_quark_from_static_string("gst-ae-properties");
}

static const Installed *find_installed(GParamSpec *pspec)
{
    return g_type_get_qdata(pspec->owner_type, installed_quark());
}

static void store_string(GObject *object, const GstAeProperty *property,
                         char *text)
{
    char **field = (char **)((guint8 *)object + property->offset);

    g_object_set_qdata_full(object, g_quark_from_static_string(property->name),
                            text, g_free);
    *field = text;
}

static void store(GObject *object, const GstAeProperty *property,
                  const GValue *value)
{
    gpointer field = (guint8 *)object + property->offset;

    switch (G_TYPE_FUNDAMENTAL(property->type)) {
    case G_TYPE_STRING:
        store_string(object, property, g_value_dup_string(value));
        break;
    case G_TYPE_BOOLEAN:
        *(gboolean *)field = g_value_get_boolean(value);
        break;
    case G_TYPE_INT:
        *(int *)field = g_value_get_int(value);
        break;
    case G_TYPE_UINT:
        *(guint *)field = g_value_get_uint(value);
        break;
    case G_TYPE_INT64:
        *(gint64 *)field = g_value_get_int64(value);
        break;
    case G_TYPE_UINT64:
        *(guint64 *)field = g_value_get_uint64(value);
        break;
    case G_TYPE_FLOAT:
        *(float *)field = g_value_get_float(value);
        break;
    case G_TYPE_DOUBLE:
        *(double *)field = g_value_get_double(value);
        break;
    case G_TYPE_ENUM:
        *(int *)field = g_value_get_enum(value);
        break;
    default:
        g_assert_not_reached();
    }
}

static void fetch(GObject *object, const GstAeProperty *property, GValue *value)
{
    gconstpointer field = (guint8 *)object + property->offset;

    switch (G_TYPE_FUNDAMENTAL(property->type)) {
    case G_TYPE_STRING:
        g_value_set_string(value, *(const char *const *)field);
        break;
    case G_TYPE_BOOLEAN:
        g_value_set_boolean(value, *(const gboolean *)field);
        break;
    case G_TYPE_INT:
        g_value_set_int(value, *(const int *)field);
        break;
    case G_TYPE_UINT:
        g_value_set_uint(value, *(const guint *)field);
        break;
    case G_TYPE_INT64:
        g_value_set_int64(value, *(const gint64 *)field);
        break;
    case G_TYPE_UINT64:
        g_value_set_uint64(value, *(const guint64 *)field);
        break;
    case G_TYPE_FLOAT:
        g_value_set_float(value, *(const float *)field);
        break;
    case G_TYPE_DOUBLE:
        g_value_set_double(value, *(const double *)field);
        break;
    case G_TYPE_ENUM:
        g_value_set_enum(value, *(const int *)field);
        break;
    default:
        g_assert_not_reached();
    }
}

static void set_property(GObject *object, guint id, const GValue *value,
                         GParamSpec *pspec)
{
    const Installed *installed = find_installed(pspec);
    const GstAeProperty *property = &installed->table[id - 1];

    GST_OBJECT_LOCK(object);
    store(object, property, value);
    GST_OBJECT_UNLOCK(object);
    if (installed->changed)
        installed->changed(GST_ELEMENT(object), property->name);
}

static void get_property(GObject *object, guint id, GValue *value,
                         GParamSpec *pspec)
{
    const GstAeProperty *property = &find_installed(pspec)->table[id - 1];

    GST_OBJECT_LOCK(object);
    if (property->get)
        property->get(object, value);
    else
        fetch(object, property, value);
    GST_OBJECT_UNLOCK(object);
}

/* Writable properties get their defaults by being set when the object is made;
 * read-only fields start as zero, as all instance memory does. */
static GParamFlags flags_of(const GstAeProperty *p)
{
    guint flags = p->flags | G_PARAM_STATIC_STRINGS;

    if (!(flags & G_PARAM_READWRITE))
        flags |= G_PARAM_READWRITE;
    if (flags & G_PARAM_WRITABLE)
        flags |= G_PARAM_CONSTRUCT;
    return (GParamFlags)flags;
}

static GParamSpec *make_spec(const GstAeProperty *p)
{
    GParamFlags flags = flags_of(p);
    gboolean all = p->minimum == 0 && p->maximum == 0;

    switch (G_TYPE_FUNDAMENTAL(p->type)) {
    case G_TYPE_STRING:
        return g_param_spec_string(p->name, p->nick, p->blurb, p->text, flags);
    case G_TYPE_BOOLEAN:
        return g_param_spec_boolean(p->name, p->nick, p->blurb, p->number != 0,
                                    flags);
    case G_TYPE_INT:
        return g_param_spec_int(
            p->name, p->nick, p->blurb, all ? G_MININT : (int)p->minimum,
            all ? G_MAXINT : (int)p->maximum, (int)p->number, flags);
    case G_TYPE_UINT:
        return g_param_spec_uint(p->name, p->nick, p->blurb, (guint)p->minimum,
                                 all ? G_MAXUINT : (guint)p->maximum,
                                 (guint)p->number, flags);
    case G_TYPE_INT64:
        return g_param_spec_int64(
            p->name, p->nick, p->blurb, all ? G_MININT64 : (gint64)p->minimum,
            all ? G_MAXINT64 : (gint64)p->maximum, (gint64)p->number, flags);
    case G_TYPE_UINT64:
        return g_param_spec_uint64(p->name, p->nick, p->blurb, 0, G_MAXUINT64,
                                   (guint64)p->number, flags);
    case G_TYPE_FLOAT:
        return g_param_spec_float(
            p->name, p->nick, p->blurb, all ? -G_MAXFLOAT : (float)p->minimum,
            all ? G_MAXFLOAT : (float)p->maximum, (float)p->number, flags);
    case G_TYPE_DOUBLE:
        return g_param_spec_double(
            p->name, p->nick, p->blurb, all ? -G_MAXDOUBLE : p->minimum,
            all ? G_MAXDOUBLE : p->maximum, p->number, flags);
    case G_TYPE_ENUM:
        return g_param_spec_enum(p->name, p->nick, p->blurb,
                                 p->get_type != NULL ? p->get_type() : p->type,
                                 (int)p->number, flags);
    case G_TYPE_BOXED:
        return g_param_spec_boxed(p->name, p->nick, p->blurb, p->get_type(),
                                  flags);
    default:
        g_assert_not_reached();
    }
}

void gst_ae_properties_install(GObjectClass *klass, const GstAeProperty *table,
                               guint n, GstAePropertyChanged changed)
{
    Installed *installed = g_new(Installed, 1); /* lives as long as the class */

    *installed = (Installed){table, changed};
    g_type_set_qdata(G_OBJECT_CLASS_TYPE(klass), installed_quark(), installed);
    klass->set_property = set_property;
    klass->get_property = get_property;
    for (guint i = 0; i < n; i++)
        g_object_class_install_property(klass, i + 1, make_spec(&table[i]));
}

void gst_ae_properties_sync(GstElement *element, const GstSegment *segment,
                            const GstBuffer *buffer)
{
    GstClockTime time = GST_CLOCK_TIME_NONE;

    if (segment->format == GST_FORMAT_TIME)
        time = gst_segment_to_stream_time(segment, GST_FORMAT_TIME,
                                          GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(time))
        gst_object_sync_values(GST_OBJECT(element), time);
}

char *gst_ae_property_dup(gpointer element, const char *const *field)
{
    GST_OBJECT_LOCK(element);
    char *copy = g_strdup(*field);
    GST_OBJECT_UNLOCK(element);
    return copy;
}

GType gst_ae_enum_type(gsize *type, const char *name, const GEnumValue *values)
{
    if (g_once_init_enter(type)) {
        GType new_type = g_enum_register_static(name, values);
        gst_type_mark_as_plugin_api(new_type, 0);
        g_once_init_leave(type, new_type);
    }
    return *type;
}
