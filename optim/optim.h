// Optimizers, learning-rate schedules, averages of weights, and gradient clipping.
#pragma once

#include "eigengrad/optim/adagrad.h"
#include "eigengrad/optim/adam.h"
#include "eigengrad/optim/average.h"
#include "eigengrad/optim/build.h"
#include "eigengrad/optim/build_schedule.h"
#include "eigengrad/optim/clip.h"
#include "eigengrad/optim/combined.h"
#include "eigengrad/optim/lbfgs.h"
#include "eigengrad/optim/lion.h"
#include "eigengrad/optim/muon.h"
#include "eigengrad/optim/optimizer.h"
#include "eigengrad/optim/rmsprop.h"
#include "eigengrad/optim/schedules.h"
#include "eigengrad/optim/sgd.h"
