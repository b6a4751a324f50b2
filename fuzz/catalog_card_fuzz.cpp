#include <string>

#include "catalog/toml.h"
#include "guarded.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  return vesalius::guarded([&] {
    const auto card = vesalius::catalog::parse_toml(text, "input");
    vesalius::catalog::parse_toml(vesalius::catalog::card_toml(card), "written again");
  });
}
