// Progress of long work on standard error: a bar on a terminal, a line every few seconds elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace vesalius {

class Progress {
 public:
  /// `total` 0 means unknown. Nothing is printed before half a second has passed, nor when `quiet`.
  Progress(std::string what, int64_t total, bool quiet = false);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Safe from any thread. `note` is shown behind the count (a loss, a rate).
  void advance(int64_t by = 1, const std::string& note = {});

 private:
  void print(bool last);
  using Clock = std::chrono::steady_clock;
  std::string what_, note_;
  int64_t total_, done_ = 0;
  bool quiet_, terminal_, shown_ = false;
  Clock::time_point start_ = Clock::now(), printed_ = start_;
  std::mutex guard_;
};

/// A line on standard error, on a line of its own even under a bar.
void warn(const std::string& message);

}  // namespace vesalius
