// Every op.
#pragma once

#include "eigengrad/ops/activation.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/linalg.h"
#include "eigengrad/ops/loss.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"
