/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `ae train` and `ae samples` share: the options, and pictures from PNG
 * and idx files. */
#pragma once

#include "tools/ae-tool.h"

typedef struct {
    AeSessionOptions options;
    char *labels;           /* idx file, or NULL */
    int epochs;             /* 0: without end */
    gboolean shuffle, gray; /* gray: luma of RGB pictures */
    char **files;           /* PNG files, folders with them, idx files */
} Training;

/* Reads the command line, whose options are named as the properties of aetrain
 * and idxsrc. Ends the program, as all functions here, where it fails. */
Training training_parse(Arguments *args);
void training_clear(Training *training);

/* The pictures of a training's files, epoch after epoch, in the same order as
 * idxsrc sends them. They borrow the training. */
typedef struct Pictures Pictures;

Pictures *pictures_new(const Training *training);
void pictures_free(Pictures *pictures);

/* Pictures of all epochs; G_MAXUINT64: without end. */
uint64_t pictures_total(const Pictures *pictures);

/* Picture @number, valid until the next call, and its label or -1. */
AePicture pictures_read(Pictures *pictures, uint64_t number, int *label);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Training, training_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pictures, pictures_free)
