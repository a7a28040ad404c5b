// Data sets and loaders.
#pragma once

#include "eigengrad/data/build.h"
#include "eigengrad/data/dataset.h"
#include "eigengrad/data/digits.h"
#include "eigengrad/data/idx.h"
#include "eigengrad/data/loader.h"
#include "eigengrad/data/text.h"
