/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file may ask for more memory than there is: that must end in an error and
 * not in the fuzzer's own limit. GLib's allocator ends the process with a
 * trap, which libFuzzer does not know. */
#include <signal.h>
#include <stdlib.h>

const char *__asan_default_options(void);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void handle_trap(int signal)
{
    abort();
}

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=256";
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    signal(SIGTRAP, handle_trap);
    return 0;
}
