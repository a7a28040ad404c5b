// The whole of Eigengrad, for programs that use it.
#pragma once

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/autograd/grad_check.h"
#include "eigengrad/core/allocator.h"
#include "eigengrad/core/apply.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/core/random.h"
#include "eigengrad/core/tensor.h"
#include "eigengrad/data/data.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/graph.h"
#include "eigengrad/io/safetensors.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/optim/optim.h"
#include "eigengrad/train/train.h"
