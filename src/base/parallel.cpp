#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace vesalius {

void parallel_for(int64_t count, const std::function<void(int64_t)>& body, int threads) {
  const auto cores = static_cast<int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  const int64_t workers = std::min<int64_t>(count, threads > 0 ? threads : cores);
  std::atomic<int64_t> next{0};
  std::exception_ptr problem;
  std::mutex guard;
  const auto work = [&] {
    for (int64_t i = next++; i < count; i = next++) {
      try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (!problem) problem = std::current_exception();
      }
    }
  };
  std::vector<std::jthread> pool;
  for (int64_t i = 1; i < workers; ++i) pool.emplace_back(work);
  work();
  pool.clear();
  if (problem) std::rethrow_exception(problem);
}

}  // namespace vesalius
