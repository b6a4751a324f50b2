// Identities: SHA-256 of weights and inputs (OpenSSL), FNV-1a of names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/files.h"

namespace vesalius {

/// Lower-case hexadecimal SHA-256.
std::string sha256(Bytes bytes);
std::string sha256(std::string_view text);

/// FNV-1a, 64 bits.
constexpr uint64_t fnv1a64(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3ULL;
  return hash;
}

}  // namespace vesalius
