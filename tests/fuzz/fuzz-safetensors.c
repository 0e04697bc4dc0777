/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a safetensors file, every number that it brings, and the network whose
 * weights it may hold. */
#include "fuzz.h"

#include "ae.h"
#include "model/safetensors.h"
#include "networks/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(AeSafetensors) file =
        ae_safetensors_parse(data, size, "fuzz", NULL);
    g_autoptr(AeModel) model = file != NULL ? ae_import(file, NULL) : NULL;
    volatile float sum = 0;

    for (guint i = 0; file != NULL && i < file->tensors->len; i++) {
        const AeTensor *tensor = g_ptr_array_index(file->tensors, i);

        for (int64_t k = 0; k < ae_shape_elements(&tensor->shape); k++)
            sum += tensor->data[k];
    }
    return 0;
}
