// A folder of a test's own, gone with it, and small images to put there.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "base/error.h"
#include "base/files.h"

namespace vesalius::testing {

class Scratch {
 public:
  Scratch() {
    static int number = 0;
    folder_ = fs::temp_directory_path() /
              ("vesalius-test-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
    fs::create_directories(folder_);
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  fs::path operator/(const std::string& name) const { return folder_ / name; }
  const fs::path& path() const { return folder_; }
  std::string write(const std::string& name, const std::string& content) const {
    write_file(folder_ / name, content);
    return (folder_ / name).string();
  }

 private:
  fs::path folder_;
};

/// An uncompressed TIFF of 4 x 4 grey pixels: the smallest image to write without an encoder.
inline std::string tiny_tiff(const std::string& sixteen_pixels) {
  const auto half = [](uint16_t v) {
    return std::string{static_cast<char>(v & 0xFF), static_cast<char>(v >> 8)};
  };
  const auto word = [&](uint32_t v) {
    return half(static_cast<uint16_t>(v & 0xFFFF)) + half(static_cast<uint16_t>(v >> 16));
  };
  constexpr uint32_t kPixelsAt = 8, kShort = 3, kLong = 4;
  std::string file = "II" + half(42) + word(kPixelsAt + 16) + sixteen_pixels;
  const std::vector<std::pair<uint16_t, uint32_t>> tags{{256, 4}, {257, 4}, {258, 8},
                                                        {259, 1}, {262, 1}, {273, kPixelsAt},
                                                        {277, 1}, {278, 4}, {279, 16}};
  file += half(static_cast<uint16_t>(tags.size()));
  for (const auto& [tag, value] : tags) {
    const bool is_long = tag == 273 || tag == 279;
    file += half(tag) + half(is_long ? kLong : kShort) + word(1) + word(value);
  }
  return file + word(0);
}

/// Sixteen pixels that differ by `seed`.
inline std::string pixels(int seed) {
  std::string bytes;
  for (int i = 0; i < 16; ++i)
    bytes += static_cast<char>((i * 37 + seed * 101 + i * i * seed * 13) & 0xFF);
  return bytes;
}

/// Runs `body`, gives the message of the Error that it must throw, and checks the code.
template <class Body>
std::string error_of(ErrorCode code, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace vesalius::testing
