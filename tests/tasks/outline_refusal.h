// Why outlined images are not read.
#pragma once

#include <string>

#include "base/error.h"
#include "tasks/outlines.h"

namespace vesalius::testing {

/// Empty where they are.
inline std::string refusal(const fs::path& source) {
  try {
    tasks::read_outlines(source);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace vesalius::testing
