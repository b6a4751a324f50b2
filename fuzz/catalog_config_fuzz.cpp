#include <string>

#include "catalog/config_yaml.h"
#include "guarded.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  return vesalius::guarded([&] {
    const auto config = vesalius::catalog::parse_config(text, "input");
    vesalius::catalog::parse_config(vesalius::catalog::write_config(config), "written again");
  });
}
