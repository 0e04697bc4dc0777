/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each epoch is a permutation of its own, whichever way it is asked for. */
#include "ae.h"

enum { COUNT = 50, EPOCHS = 4 };

static void test_shuffled(void)
{
    g_autoptr(AeOrder) order = ae_order_new(COUNT, TRUE, 7, NULL);
    g_autoptr(AeOrder) again = ae_order_new(COUNT, TRUE, 7, NULL);
    uint32_t items[EPOCHS * COUNT];
    int equal = 0;

    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        gboolean seen[COUNT] = {FALSE};

        for (uint64_t i = epoch * COUNT; i < (epoch + 1) * COUNT; i++) {
            items[i] = ae_order_item(order, i);
            g_assert_cmpuint(items[i], <, COUNT);
            g_assert_false(seen[items[i]]);
            seen[items[i]] = TRUE;
            equal += i >= COUNT && items[i] == items[i - COUNT];
        }
    }
    g_assert_cmpint(equal, <, COUNT / 2);
    for (uint64_t i = EPOCHS * COUNT; i-- > 0;)
        g_assert_cmpuint(ae_order_item(again, i), ==, items[i]);
}

static void test_in_order(void)
{
    g_autoptr(AeOrder) order = ae_order_new(3, FALSE, 7, NULL);

    for (uint64_t i = 0; i < 9; i++)
        g_assert_cmpuint(ae_order_item(order, i), ==, i % 3);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/order/shuffled", test_shuffled);
    g_test_add_func("/order/in-order", test_in_order);
    return g_test_run();
}
