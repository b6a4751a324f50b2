#include "checkpoint/crc32.h"

#include <array>
#include <cstring>

namespace vesalius {
namespace {

using Table = std::array<std::array<uint32_t, 256>, 8>;

/// Row k: the CRC of a byte that k zero bytes follow ("slicing by 8", Kounavis and Berry 2005).
constexpr Table make_table() {
  Table table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0);
    table[0][byte] = crc;
  }
  for (size_t row = 1; row < 8; ++row)
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t crc = table[row - 1][byte];
      table[row][byte] = (crc >> 8) ^ table[0][crc & 0xFF];
    }
  return table;
}

constexpr Table kTable = make_table();

}  // namespace

uint32_t crc32(Bytes bytes, uint32_t before) {
  uint32_t crc = ~before;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    word ^= crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) crc ^= kTable[7 - i][(word >> (8 * i)) & 0xFF];
  }
  for (const uint8_t byte : bytes) crc = (crc >> 8) ^ kTable[0][(crc ^ byte) & 0xFF];
  return ~crc;
}

}  // namespace vesalius
