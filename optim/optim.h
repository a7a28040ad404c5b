// Optimizers and gradient clipping.
#pragma once

#include "eigengrad/optim/adam.h"
#include "eigengrad/optim/build.h"
#include "eigengrad/optim/clip.h"
#include "eigengrad/optim/optimizer.h"
#include "eigengrad/optim/sgd.h"
