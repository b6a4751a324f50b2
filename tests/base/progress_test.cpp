#include "base/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <regex>
#include <thread>
#include <vector>

namespace vesalius {
namespace {

using namespace std::chrono_literals;

/// Standard error goes to a terminal of ours while it lives.
class Terminal {
 public:
  Terminal() {
    ours_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (ours_ < 0 || ::grantpt(ours_) != 0 || ::unlockpt(ours_) != 0) return;
    theirs_ = ::open(::ptsname(ours_), O_RDWR | O_NOCTTY);
    before_ = ::dup(STDERR_FILENO);
    if (theirs_ >= 0) ::dup2(theirs_, STDERR_FILENO);
  }
  ~Terminal() {
    if (before_ >= 0) ::dup2(before_, STDERR_FILENO);
    for (const int fd : {ours_, theirs_, before_})
      if (fd >= 0) ::close(fd);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  bool there() const { return theirs_ >= 0; }

  std::string shown() {
    std::fflush(stderr);
    std::string text;
    char block[4096];
    pollfd ready{.fd = ours_, .events = POLLIN, .revents = 0};
    while (::poll(&ready, 1, 50) > 0) {
      const ssize_t got = ::read(ours_, block, sizeof(block));
      if (got <= 0) break;
      text.append(block, static_cast<size_t>(got));
    }
    return text;
  }

 private:
  int ours_ = -1, theirs_ = -1, before_ = -1;
};

int width_of_bar(const std::string& text) {
  std::smatch found;
  return std::regex_search(text, found, std::regex("\\[(=*)( *)\\]"))
             ? static_cast<int>(found.length(1) + found.length(2))
             : -1;
}

TEST(Progress, OnATerminalItIsOneLineWithABar) {
  Terminal terminal;
  if (!terminal.there()) GTEST_SKIP() << "no terminal can be made here";
  {
    Progress progress("Reading", 10);
    progress.advance(2);
    EXPECT_EQ(terminal.shown(), "");  // half a second is no time to speak of
    std::this_thread::sleep_for(520ms);
    progress.advance(3, "loss 0.5");
    const auto text = terminal.shown();
    EXPECT_TRUE(text.starts_with("\r\033[K")) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_NE(text.find("5/10"), std::string::npos) << text;
    EXPECT_NE(text.find("loss 0.5"), std::string::npos) << text;
    EXPECT_NE(text.find("left"), std::string::npos) << text;
    EXPECT_EQ(width_of_bar(text), 30);
  }
  const auto last = terminal.shown();
  EXPECT_NE(last.find('\n'), std::string::npos) << "the last one ends its line";
}

TEST(Progress, MoreThanWasToldIsNoAccident) {
  Terminal terminal;
  if (!terminal.there()) GTEST_SKIP() << "no terminal can be made here";
  {
    Progress progress("Copying", 3);
    std::this_thread::sleep_for(520ms);
    progress.advance(5);
  }
  const auto text = terminal.shown();
  EXPECT_NE(text.find("5/3"), std::string::npos) << text;
  EXPECT_EQ(width_of_bar(text), 30) << text;
  EXPECT_EQ(text.find("left"), std::string::npos) << text;
}

TEST(Progress, AWarningClearsTheBarsLine) {
  Terminal terminal;
  if (!terminal.there()) GTEST_SKIP() << "no terminal can be made here";
  warn("a.png: is cut short");
  EXPECT_TRUE(terminal.shown().starts_with("\r\033[Ka.png: is cut short"));
}

TEST(Progress, InALogNothingIsWrittenBeforeSecondsHavePassed) {
  testing::internal::CaptureStderr();
  {
    Progress progress("Reading", 0);
    std::this_thread::sleep_for(520ms);
    for (int i = 0; i < 100; ++i) progress.advance();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, CountsFromManyThreads) {
  Terminal terminal;
  if (!terminal.there()) GTEST_SKIP() << "no terminal can be made here";
  {
    Progress progress("Reading", 4000);
    std::this_thread::sleep_for(520ms);
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) progress.advance();
      });
    threads.clear();
  }
  EXPECT_NE(terminal.shown().find("4000/4000"), std::string::npos);
}

}  // namespace
}  // namespace vesalius
