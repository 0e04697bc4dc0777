/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file may ask for more memory than there is: that must end in an error and
 * not in the fuzzer's own limit. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=256";
}
