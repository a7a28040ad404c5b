// Profiles as files.
#pragma once

#include <string>

#include "eigengrad/autograd/profiler.h"

namespace eigengrad::io {

/// The events in Chrome's trace format, for chrome://tracing and ui.perfetto.dev: one bar each, with module, GFLOP/s,
/// bytes and allocations. At most `most` of them, the first.
std::string to_chrome_trace(const Profiler& profiler, std::size_t most = 500'000);

}  // namespace eigengrad::io
