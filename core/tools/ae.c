/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae`: the core's command line, a client of core/ae.h and of nothing else.
 *
 * Exit status: 0; 1 with a sentence on standard error; 2 for wrong usage. */
#include <stdio.h>
#include <string.h>

#include "tools/ae-tool.h"

static const Command *const groups[] = {
    model_commands,  run_commands,    embed_commands,
    decode_commands, figure_commands, resize_commands,
};

static int usage(FILE *file)
{
    g_autofree char *models = g_strjoinv(", ", (char **)ae_builtin_names());
    g_autofree char *networks =
        g_strjoinv(", ", (char **)ae_architecture_names());

    fputs("usage:\n", file);
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++)
        for (const Command *command = groups[i]; command->name; command++)
            fprintf(file, "  ae %-45s %s\n", command->arguments,
                    command->summary);
    fprintf(file,
            "\nMODEL is an ONNX file or a built-in name (%s);\n"
            "ARCHITECTURE one of: %s.\n"
            "ae COMMAND --help tells a command's options.\n",
            *models != '\0' ? models : "none", networks);
    return file == stdout ? 0 : 2;
}

static const Command *find_command(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++)
        for (const Command *command = groups[i]; command->name; command++)
            if (strcmp(name, command->name) == 0)
                return command;
    return NULL;
}

static int run(const Command *command, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (command->run(argc, argv, command->arguments, &error))
        return 0;
    fprintf(stderr, "ae: %s\n", error->message);
    return error->domain == G_OPTION_ERROR ? 2 : 1;
}

int main(int argc, char **argv)
{
    const Command *command = argc > 1 ? find_command(argv[1]) : NULL;

    g_set_prgname("ae");
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    return command != NULL ? run(command, argc - 1, argv + 1) : usage(stderr);
}
