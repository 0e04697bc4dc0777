/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder of models that a test makes for its elements. */
#pragma once

#include "ae.h"

/* The folder; from models_begin() to models_end(), which deletes it. */
extern char *models_folder;

void models_begin(const char *test);
void models_end(void);

/* FOLDER/NAME.onnx. Free. */
char *models_path(const char *name);

/* Writes it there. Takes the model. */
void models_save(AeModel *model, const char *name);
