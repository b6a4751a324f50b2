// CRC-32 as zip uses it (ISO 3309, polynomial 0xEDB88320), eight bytes at a step.
#pragma once

#include <cstdint>

#include "base/files.h"

namespace vesalius {

/// Of `bytes`, going on from the CRC of what stood before them.
uint32_t crc32(Bytes bytes, uint32_t before = 0);

}  // namespace vesalius
