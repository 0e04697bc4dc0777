/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model core, all of its public interface: include this alone. */
#pragma once

#include "architectures.h"
#include "builtin.h"
#include "error.h"
#include "figure.h"
#include "file.h"
#include "idx.h"
#include "kernels.h"
#include "loss.h"
#include "metrics.h"
#include "model.h"
#include "noise.h"
#include "onnx.h"
#include "optimizer.h"
#include "plan.h"
#include "pool.h"
#include "quantize.h"
#include "random.h"
#include "safetensors.h"
#include "tensor.h"
#include "trainer.h"
