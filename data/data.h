// Data sets and loaders.
#pragma once

#include "eigengrad/data/build.h"
#include "eigengrad/data/csv.h"
#include "eigengrad/data/dataset.h"
#include "eigengrad/data/digits.h"
#include "eigengrad/data/idx.h"
#include "eigengrad/data/image.h"
#include "eigengrad/data/image_source.h"
#include "eigengrad/data/loader.h"
#include "eigengrad/data/png.h"
#include "eigengrad/data/table.h"
#include "eigengrad/data/text.h"
#include "eigengrad/data/transform.h"
