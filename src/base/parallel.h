// Work over a range on a few threads, without LibTorch.
#pragma once

#include <cstdint>
#include <functional>

namespace vesalius {

/// Calls body(i) for i in [0, count) on at most `threads` threads (0: one a core). The first
/// exception is rethrown when all have ended.
void parallel_for(int64_t count, const std::function<void(int64_t)>& body, int threads = 0);

}  // namespace vesalius
