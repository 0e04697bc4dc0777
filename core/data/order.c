/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "data/order.h"

#include "base/memory.h"
#include "base/random.h"

struct AeOrder {
    uint32_t count;
    uint64_t seed;
    uint32_t *items; /* in the order of `epoch`; NULL: as they lie */
    uint64_t epoch;  /* G_MAXUINT64: none yet */
};

AeOrder *ae_order_new(uint32_t count, gboolean shuffle, uint64_t seed,
                      GError **error)
{
    uint32_t *items = shuffle ? ae_alloc(count, sizeof *items, error) : NULL;

    if (shuffle && items == NULL)
        return NULL;

    AeOrder *order = g_new0(AeOrder, 1);

    order->count = count;
    order->seed = seed;
    order->epoch = G_MAXUINT64;
    order->items = items;
    return order;
}

void ae_order_free(AeOrder *order)
{
    if (order == NULL)
        return;
    ae_free(order->items);
    g_free(order);
}

uint32_t ae_order_item(AeOrder *order, uint64_t number)
{
    uint64_t epoch = number / order->count;
    uint32_t i = (uint32_t)(number % order->count);

    if (order->items == NULL)
        return i;
    if (order->epoch != epoch) {
        AeRandom random = ae_random(order->seed, epoch);

        ae_random_permutation(&random, order->items, order->count);
        order->epoch = epoch;
    }
    return order->items[i];
}
