#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace vesalius {
namespace {

constexpr int kBarWidth = 30;
constexpr double kFirst = 0.5, kTerminalPause = 0.1, kLogPause = 5.0;  // seconds

std::string clock_text(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress(std::string what, int64_t total, bool quiet)
    : what_(std::move(what)),
      total_(total),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (shown_) print(true);
}

void Progress::advance(int64_t by, const std::string& note) {
  const std::lock_guard lock(guard_);
  done_ += by;
  if (!note.empty()) note_ = note;
  const auto now = Clock::now();
  const auto since = [&](Clock::time_point t) {
    return std::chrono::duration<double>(now - t).count();
  };
  const double pause = terminal_ ? kTerminalPause : kLogPause;
  if (quiet_ || since(start_) < kFirst || since(printed_) < pause) return;
  printed_ = now;
  print(false);
}

void Progress::print(bool last) {
  shown_ = true;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const double rate = static_cast<double>(done_) / seconds;
  std::string line = fmt::format("{} ", what_);
  if (total_ > 0) {
    const auto filled = static_cast<size_t>(kBarWidth * std::min(done_, total_) / total_);
    if (terminal_)
      line +=
          fmt::format("[{}{}] ", std::string(filled, '='), std::string(kBarWidth - filled, ' '));
    line += fmt::format("{}/{}", done_, total_);
  } else {
    line += fmt::format("{}", done_);
  }
  line += fmt::format(" · {:.1f}/s · {}", rate, clock_text(seconds));
  if (total_ > done_ && rate > 0)
    line += fmt::format(" · {} left", clock_text(static_cast<double>(total_ - done_) / rate));
  if (!note_.empty()) line += " · " + note_;
  const std::string text = terminal_ ? "\r\033[K" + line + (last ? "\n" : "") : line + "\n";
  std::fputs(text.c_str(), stderr);
}

void warn(const std::string& message) {
  const char* clear = ::isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "";
  std::fputs((clear + message + "\n").c_str(), stderr);
}

}  // namespace vesalius
