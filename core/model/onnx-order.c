/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sorts nodes by a depth-first search from each node to those that make its
 * inputs. The path of the search is an array, as deep files would exhaust the
 * stack of a recursion. */
#include "model/onnx-order.h"

#include "base/error.h"

typedef enum { NEW, ON_PATH, DONE } State;

typedef struct {
    const Onnx__GraphProto *graph;
    GHashTable *makers; /* name of a value -> index of its node + 1, or 0 */
    State *states;      /* one for each node */
    size_t *next;       /* the input of each node on the path to look at next */
    int *path;
    int length; /* of the path */
    int *order;
    int n; /* nodes in @order */
} Sort;

/* The node that makes value @name; -1: none does. */
static int find_maker(const Sort *sort, const char *name)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(sort->makers, name)) - 1;
}

static void enter(Sort *sort, int node)
{
    sort->states[node] = ON_PATH;
    sort->path[sort->length++] = node;
}

static gboolean fail(const Sort *sort, int node, GError **error)
{
    const Onnx__NodeProto *proto = sort->graph->node[node];

    g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                "node '%s' (%s): depends on its own output '%s'",
                proto->name != NULL ? proto->name : "",
                proto->op_type != NULL ? proto->op_type : "", proto->output[0]);
    return FALSE;
}

/* Appends to the order the nodes that @first depends on, and @first. */
static gboolean visit(Sort *sort, int first, GError **error)
{
    enter(sort, first);
    while (sort->length > 0) {
        int node = sort->path[sort->length - 1], maker;
        const Onnx__NodeProto *proto = sort->graph->node[node];

        if (sort->next[node] == proto->n_input) {
            sort->states[node] = DONE;
            sort->order[sort->n++] = node;
            sort->length--;
            continue;
        }
        maker = find_maker(sort, proto->input[sort->next[node]++]);
        if (maker >= 0 && sort->states[maker] == ON_PATH)
            return fail(sort, maker, error);
        if (maker >= 0 && sort->states[maker] == NEW)
            enter(sort, maker);
    }
    return TRUE;
}

/* The first to make a value counts; the reader refuses a second. */
static void add_maker(const Sort *sort, char *name, int node)
{
    if (name != NULL && *name != '\0' &&
        !g_hash_table_contains(sort->makers, name))
        g_hash_table_insert(sort->makers, name, GINT_TO_POINTER(node + 1));
}

static void collect_makers(const Sort *sort)
{
    const Onnx__GraphProto *graph = sort->graph;

    for (size_t i = 0; i < graph->n_input; i++)
        add_maker(sort, graph->input[i]->name, -1);
    for (size_t i = 0; i < graph->n_initializer; i++)
        add_maker(sort, graph->initializer[i]->name, -1);
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t j = 0; j < graph->node[i]->n_output; j++)
            add_maker(sort, graph->node[i]->output[j], (int)i);
}

int *ae_onnx_order(const Onnx__GraphProto *graph, GError **error)
{
    g_autoptr(GHashTable) makers = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree State *states = g_new0(State, graph->n_node + 1);
    g_autofree size_t *next = g_new0(size_t, graph->n_node + 1);
    g_autofree int *path = g_new(int, graph->n_node + 1);
    g_autofree int *order = g_new(int, graph->n_node + 1);
    Sort sort = {graph, makers, states, next, path, 0, order, 0};

    collect_makers(&sort);
    for (size_t i = 0; i < graph->n_node; i++)
        if (states[i] == NEW && !visit(&sort, (int)i, error))
            return NULL;
    return g_steal_pointer(&order);
}
