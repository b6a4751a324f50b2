// What every fuzz target shares: an Error is the only way in which an input may be refused.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.h"

namespace vesalius {

/// Runs `parse`; anything but an Error leaves, and libFuzzer reports it.
template <class Parse>
int guarded(Parse&& parse) {
  try {
    parse();
  } catch (const Error&) {  // refused, as it should be
  }
  return 0;
}

}  // namespace vesalius
