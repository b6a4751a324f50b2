// A home of its own for each test of the catalog, and a tiny package to work on.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "catalog/random.h"

namespace vesalius::catalog {

/// $VESALIUS_HOME and $XDG_CACHE_HOME in a temporary folder that goes with the test.
class Scene : public testing::Test {
 protected:
  fs::path root = fs::temp_directory_path() / ("vesalius-catalog-" + std::to_string(::getpid()));
  fs::path tiny = root / "tiny";

  void SetUp() override {
    fs::remove_all(root);
    fs::create_directories(root);
    ::setenv("VESALIUS_HOME", (root / "home").c_str(), 1);
    ::setenv("XDG_CACHE_HOME", (root / "cache").c_str(), 1);
    ::setenv("VESALIUS_CATALOG", VESALIUS_SOURCE_DIR "/catalog", 1);
  }
  void TearDown() override { fs::remove_all(root); }

  SeededPackage make_tiny(uint64_t seed = 7) const {
    return write_seeded_package("medimageinsight", "tiny", {.seed = seed, .gains = {}}, tiny);
  }
};

/// The message of the Error that `body` throws, checked to be of this code.
inline std::string refusal(ErrorCode code, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

inline bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace vesalius::catalog
