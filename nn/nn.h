// Modules, layers, losses, initialisation.
#pragma once

#include "eigengrad/nn/activation.h"
#include "eigengrad/nn/attention.h"
#include "eigengrad/nn/build.h"
#include "eigengrad/nn/container.h"
#include "eigengrad/nn/convolution.h"
#include "eigengrad/nn/dropout.h"
#include "eigengrad/nn/embedding.h"
#include "eigengrad/nn/init.h"
#include "eigengrad/nn/linear.h"
#include "eigengrad/nn/loss.h"
#include "eigengrad/nn/module.h"
#include "eigengrad/nn/normalization.h"
#include "eigengrad/nn/pooling.h"
#include "eigengrad/nn/recurrent.h"
#include "eigengrad/nn/shape.h"
#include "eigengrad/nn/transformer.h"
