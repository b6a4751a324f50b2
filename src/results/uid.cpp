#include "results/uid.h"

#include <charconv>
#include <random>

#include "base/hash.h"

namespace vesalius::results {

namespace {
using Uuid = unsigned __int128;

/// With the version and the variant of RFC 9562 in their places, as a decimal under the root of
/// UUIDs.
std::string uid_of(Uuid bits, unsigned version) {
  bits = (bits & ~(Uuid{15} << 76)) | Uuid{version} << 76;
  bits = (bits & ~(Uuid{3} << 62)) | Uuid{2} << 62;
  std::string digits;
  for (; bits > 0; bits /= 10) digits += static_cast<char>('0' + static_cast<int>(bits % 10));
  return "2.25." + std::string(digits.rbegin(), digits.rend());
}
}  // namespace

std::string new_uid() {
  std::random_device device;
  Uuid bits = 0;
  for (int i = 0; i < 4; ++i) bits = bits << 32 | device();
  return uid_of(bits, 4);
}

std::string uid_of_name(std::string_view name) {
  const std::string hash = sha256(name);
  Uuid bits = 0;
  for (size_t at = 0; at < 32; at += 8) {
    uint32_t word = 0;
    std::from_chars(hash.data() + at, hash.data() + at + 8, word, 16);
    bits = bits << 32 | word;
  }
  return uid_of(bits, 8);
}

}  // namespace vesalius::results
