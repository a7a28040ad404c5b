// On what a run was computed.
#pragma once

#include "eigengrad/config/value.h"

namespace eigengrad::train {

/// version, processor, processors, threads, instructions, engine, memory_bytes and system: what is known of them.
config::Value machine_facts();

}  // namespace eigengrad::train
