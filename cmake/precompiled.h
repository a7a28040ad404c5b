// What most files of the libraries include, compiled once for all of them. Each still names what it uses.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/core/tensor.h"
