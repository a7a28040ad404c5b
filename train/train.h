// Training.
#pragma once

#include "eigengrad/train/generate.h"
#include "eigengrad/train/html_report.h"
#include "eigengrad/train/metrics.h"
#include "eigengrad/train/predict.h"
#include "eigengrad/train/report.h"
#include "eigengrad/train/run.h"
#include "eigengrad/train/stopping.h"
#include "eigengrad/train/tensorboard.h"
#include "eigengrad/train/trainer.h"
