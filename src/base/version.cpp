#include "base/version.h"

namespace vesalius {
const char* version() { return VESALIUS_VERSION; }
}  // namespace vesalius
