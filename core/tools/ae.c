/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `ae`: the core's command line, a client of core/ae.h and of nothing else.
 *
 * Exit status: 0; 1 with a sentence on standard error; 2 for wrong usage. */
#include <stdio.h>
#include <string.h>

#include "tools/ae-tool.h"

static const Command *const groups[] = {
    model_commands,         run_commands,           embed_commands,
    decode_commands,        resize_commands,        figure_commands,
    weight_figure_commands, decode_figure_commands, train_commands,
    samples_commands,
};

static int print_usage(FILE *file)
{
    g_autofree char *models = g_strjoinv(", ", (char **)ae_builtin_names());
    g_autofree char *networks =
        g_strjoinv(", ", (char **)ae_architecture_names());

    fputs("usage:\n", file);
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++)
        for (const Command *command = groups[i]; command->name; command++)
            fprintf(file, "  ae %-49s %s\n", command->usage, command->summary);
    fprintf(file,
            "\nMODEL is an ONNX file or the name of a built-in model (%s).\n"
            "ARCHITECTURE is one of: %s.\n"
            "'ae COMMAND --help' lists the options of a command.\n",
            *models != '\0' ? models : "none", networks);
    return file == stdout ? 0 : 2;
}

/* The command that the arguments begin with; its name has @words words, one or
 * two. */
static const Command *find_command(char **argv, int *words)
{
    g_autofree char *two = g_strjoin(" ", argv[1], argv[2], NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++)
        for (const Command *command = groups[i]; command->name; command++) {
            *words = strchr(command->name, ' ') != NULL ? 2 : 1;
            if (strcmp(*words == 2 ? two : argv[1], command->name) == 0)
                return command;
        }
    return NULL;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    const Command *command;
    gboolean done;
    int words;

    g_set_prgname("ae");
    command = argc > 1 ? find_command(argv, &words) : NULL;
    if (command == NULL)
        return print_usage(argc > 1 && strcmp(argv[argc - 1], "--help") == 0
                               ? stdout
                               : stderr);
    Arguments args = {command->usage, argc - words, argv + words, NULL};
    done = command->run(&args, &error);
    g_free(args.output);
    if (done)
        return 0;
    fprintf(stderr, "ae: %s\n", error->message);
    return error->domain == G_OPTION_ERROR ? 2 : 1;
}
