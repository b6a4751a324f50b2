// What this machine is: CPU and its features, cores, memory, devices.
#pragma once

#include "base/json.h"

namespace vesalius::cli {

/// {"cpu", "features": […], "cores", "memory_gb", "libtorch", "cuda_devices"}.
Json machine_facts();

}  // namespace vesalius::cli
