// What the tests of archives, pickles and PyTorch's checkpoints share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "base/error.h"
#include "base/files.h"

namespace vesalius {

inline fs::path scratch(const std::string& name) {
  const auto folder =
      fs::temp_directory_path() / ("vesalius-archive-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  return folder / name;
}

inline Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class T>
void put(std::string& file, size_t at, T value) {
  std::memcpy(file.data() + at, &value, sizeof value);
}

/// The message of the kModel error, which must start with the file's name; "taken" if there is
/// none.
inline std::string refusal(const std::string& where, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    EXPECT_TRUE(std::string(error.what()).starts_with(where + ": ")) << error.what();
    return error.what();
  }
  return "taken";
}

inline std::string le32(size_t value) {
  const auto number = static_cast<uint32_t>(value);
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

inline std::string le64(uint64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace vesalius
