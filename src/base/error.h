// The one exception of the program: what happened, to which input, why, and what to do about it.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace vesalius {

/// Stable codes; each is also the exit code of the command line.
enum class ErrorCode {
  kFailed = 1,       // something went wrong on our side, or the disk is full
  kUsage = 2,        // the command or request was not understood
  kSomeFailed = 3,   // a batch finished, some of its items did not
  kUnsupported = 4,  // the input cannot be read or makes no sense to the task
  kModel = 5,        // a model is missing or is not what it claims to be
  kDevice = 6,       // no such device, or not enough memory
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

/// What is being read, as its errors tell it: a file, and the code that its reader fails with.
struct Origin {
  std::string where;
  ErrorCode code = ErrorCode::kUnsupported;
};

/// Throws an Error. The message is a sentence: it names the input, the reason and the remedy.
template <class... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace vesalius
