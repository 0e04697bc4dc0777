/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model core, all of its public interface: include this alone. What these
 * headers include gives them their types. */
#pragma once

#include "base/error.h"
#include "base/pool.h"
#include "codec/codec.h"
#include "codec/sheet.h"
#include "data/idx.h"
#include "data/order.h"
#include "model/builtin.h"
#include "model/onnx.h"
#include "plan/plan.h"
#include "train/session.h"
#include "video/filter.h"
#include "video/metrics.h"
#include "video/noise.h"
#include "video/picture.h"
