/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rearranges the axes of images: adds the nodes that change their order, or
 * takes away those of the model that undo the change. */
#include "model/layout.h"

#include "base/error.h"
#include "model/build.h"
#include "ops/attributes.h"
#include "ops/operator.h"

static const int64_t to_last[] = {0, 2, 3, 1}, to_first[] = {0, 3, 1, 2};

/* Whether @node changes the order of four axes to @order. */
static gboolean is_transpose(const AeNode *node, const int64_t *order)
{
    int n;
    const int64_t *own = ae_node_ints(node, "perm", &n);
    gboolean same = n == 4 && g_str_equal(node->op->name, "Transpose");

    for (int i = 0; i < n && same; i++)
        same = own[i] == order[i];
    return same;
}

static int first_of(const GArray *values)
{
    return values->len > 0 ? g_array_index(values, int, 0) : -1;
}

static int add_value(AeModel *model, int like, const char *what)
{
    const char *name = ae_model_value(model, like)->name;
    g_autofree char *unused = g_strdup_printf("%s, %s", name, what);

    while (ae_model_find(model, unused) >= 0) {
        char *longer = g_strconcat(unused, "'", NULL);

        g_free(unused);
        unused = longer;
    }
    return ae_model_add_value(model, unused, NULL, NULL);
}

/* Adds a node that makes value @to of @from at place @place among the nodes. */
static AeNode *add_node(AeModel *model, const char *op, int from, int axes,
                        int to, guint place)
{
    const int inputs[] = {from, axes};
    AeNode *node = ae_model_add_node(model, op, ae_model_value(model, to)->name,
                                     inputs, axes < 0 ? 1 : 2, &to, 1, NULL);

    g_ptr_array_steal_index(model->nodes, model->nodes->len - 1);
    g_ptr_array_insert(model->nodes, (int)place, node);
    return node;
}

static void add_transpose(AeModel *model, int from, const int64_t *order,
                          int to, guint place)
{
    AeNode *node = add_node(model, "Transpose", from, -1, to, place);

    ae_node_set_ints(node, "perm", order, 4);
}

/* Adds or takes away (@op Unsqueeze, Squeeze) the axis of the batch. */
static gboolean add_batch_axis(AeModel *model, const char *op, int from, int to,
                               guint place, GError **error)
{
    enum { AXES_ARE_AN_INPUT = 13 }; /* from this opset on */
    const int64_t axis = 0;
    const AeShape shape = ae_shape(1, 1);
    AeTensor *tensor;
    int axes;

    if (model->opset < AXES_ARE_AN_INPUT) {
        ae_node_set_ints(add_node(model, op, from, -1, to, place), "axes",
                         &axis, 1);
        return TRUE;
    }
    tensor = ae_tensor_new(&shape, error); /* of zeros */
    if (tensor == NULL)
        return FALSE;
    tensor->integer = TRUE;
    axes = add_value(model, to, "axes");
    ae_model_value(model, axes)->constant = tensor;
    add_node(model, op, from, axes, to, place);
    return TRUE;
}

/* The shape (n, c, h, w) of a value with @layout. */
static AeShape arranged(const AeShape *shape, AeLayout layout)
{
    const int64_t *dim = shape->dim + (layout.single ? 0 : 1);
    int64_t batch = layout.single ? 1 : shape->dim[0];

    return layout.channels_last ? ae_shape(4, batch, dim[2], dim[0], dim[1])
                                : ae_shape(4, batch, dim[0], dim[1], dim[2]);
}

static gboolean check_rank(const AeValue *value, AeLayout layout,
                           GError **error)
{
    int rank = layout.single ? 3 : 4;

    if (!value->has_shape || value->shape.rank == rank)
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                "'%s' has rank %d, where %d was expected", value->name,
                value->shape.rank, rank);
    return FALSE;
}

/* A value like @old, but with the axes (n, c, h, w). */
static int add_arranged(AeModel *model, int old, AeLayout layout)
{
    int added = add_value(model, old, "(n, c, h, w)");
    const AeValue *from = ae_model_value(model, old);
    AeValue *to = ae_model_value(model, added);

    to->integer = from->integer;
    to->element = from->element;
    to->has_shape = from->has_shape;
    if (from->has_shape)
        to->shape = arranged(&from->shape, layout);
    return added;
}

/* Where all nodes that read @old only put the channels first, lets them pass
 * @image on instead. */
static gboolean undo_readers(AeModel *model, int old, int image)
{
    for (int change = 0; change < 2; change++)
        for (guint i = 0; i < model->nodes->len; i++) {
            AeNode *node = g_ptr_array_index(model->nodes, i);

            for (guint k = 0; k < node->inputs->len; k++) {
                if (g_array_index(node->inputs, int, k) != old)
                    continue;
                if (!is_transpose(node, to_first))
                    return FALSE;
                if (change == 0)
                    continue;
                g_array_index(node->inputs, int, k) = image;
                node->op = ae_operator_find("Identity");
                g_ptr_array_set_size(node->attributes, 0);
            }
        }
    return old != first_of(model->outputs);
}

static gboolean rearrange_input(AeModel *model, AeLayout layout, GError **error)
{
    int old = first_of(model->inputs), image, batch;

    if (!check_rank(ae_model_value(model, old), layout, error))
        return FALSE;
    image = add_arranged(model, old, layout);
    g_array_index(model->inputs, int, 0) = image;
    if (!layout.single && undo_readers(model, old, image))
        return TRUE;
    batch = layout.single && layout.channels_last
                ? add_value(model, old, "(n, h, w, c)")
                : image;
    if (layout.single &&
        !add_batch_axis(model, "Squeeze", batch, old, 0, error))
        return FALSE;
    if (layout.channels_last)
        add_transpose(model, image, to_last, layout.single ? batch : old, 0);
    return TRUE;
}

static AeNode *find_maker(const AeModel *model, int value)
{
    for (guint i = 0; i < model->nodes->len; i++) {
        AeNode *node = g_ptr_array_index(model->nodes, i);

        if (first_of(node->outputs) == value)
            return node;
    }
    return NULL;
}

static gboolean rearrange_output(AeModel *model, AeLayout layout,
                                 GError **error)
{
    int old = first_of(model->outputs), image, batch;
    const AeNode *maker = find_maker(model, old);
    guint end = model->nodes->len;

    if (!check_rank(ae_model_value(model, old), layout, error))
        return FALSE;
    if (!layout.single && maker != NULL && is_transpose(maker, to_last) &&
        first_of(maker->inputs) >= 0) {
        g_array_index(model->outputs, int, 0) = first_of(maker->inputs);
        return TRUE;
    }
    image = add_arranged(model, old, layout);
    g_array_index(model->outputs, int, 0) = image;
    batch = layout.single && layout.channels_last
                ? add_value(model, old, "(n, h, w, c)")
                : image;
    if (layout.channels_last)
        add_transpose(model, layout.single ? batch : old, to_first, image, end);
    return !layout.single ||
           add_batch_axis(model, "Unsqueeze", old, batch, end, error);
}

static gboolean is_arranged(AeLayout layout)
{
    return !layout.channels_last && !layout.single;
}

AeModel *ae_model_rearrange(const AeModel *model, AeLayout in, AeLayout out,
                            GError **error)
{
    g_autoptr(AeModel) result = ae_model_copy(model, error);

    if (result == NULL ||
        (!is_arranged(in) && !rearrange_input(result, in, error)) ||
        (!is_arranged(out) && !rearrange_output(result, out, error)))
        return NULL;
    return g_steal_pointer(&result);
}
