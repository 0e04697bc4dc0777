/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order in which a set of items is sent: epoch after epoch, each in an
 * order of its own that follows from the seed and the epoch's number alone. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct AeOrder AeOrder;

/* @count: items of the set, at least 1. Without @shuffle they come as they
 * lie. Errors: AE_ERROR_MEMORY. */
AeOrder *ae_order_new(uint32_t count, gboolean shuffle, uint64_t seed,
                      GError **error);
void ae_order_free(AeOrder *order);

/* The item, 0 .. count - 1, that comes as number @number, counted from 0 over
 * all epochs. Fast while @number stays in one epoch. */
uint32_t ae_order_item(AeOrder *order, uint64_t number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AeOrder, ae_order_free)

G_END_DECLS
