#include "media/dicom_jpeg12.h"

#include <algorithm>
#include <array>

#include "media/codecs.h"

namespace vesalius::media {

namespace {
using Block = std::array<int64_t, 64>;

// Where the k-th coefficient of the zigzag stands.
constexpr std::array<uint8_t, 64> kZigzag = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

/// A canonical code: for each length the first code, how many there are, and where their symbols
/// begin.
struct HuffmanTable {
  std::array<uint32_t, 17> first{}, count{}, offset{};
  std::vector<uint8_t> symbols;
};

HuffmanTable make_table(Bytes counts, Bytes symbols) {
  HuffmanTable table;
  table.symbols.assign(symbols.begin(), symbols.end());
  uint32_t code = 0, offset = 0;
  for (size_t length = 1; length <= 16; ++length) {
    table.first[length] = code;
    table.count[length] = counts[length - 1];
    table.offset[length] = offset;
    code = (code + counts[length - 1]) << 1;
    offset += counts[length - 1];
  }
  return table;
}

struct Tables {
  std::array<std::array<uint16_t, 64>, 4> quantizers{};
  std::array<HuffmanTable, 4> dc, ac;
  int quantizer = 0, dc_index = 0, ac_index = 0;  // of the one component
  size_t restart_interval = 0;
};

class StreamReader {
 public:
  StreamReader(Bytes bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  /// Reads segments up to the scan's data.
  Tables read_tables();
  int symbol(const HuffmanTable& table);
  int extended(int bits);
  void restart();

 private:
  [[noreturn]] void broken(const char* what) const { fail_damaged(where_, "12-bit JPEG", what); }
  void read_quantizers(Bytes segment, Tables& tables) const;
  void read_codes(Bytes segment, Tables& tables) const;
  int bit();

  Bytes bytes_;
  const std::string& where_;
  size_t at_ = 2;
  uint32_t byte_ = 0;
  int bits_left_ = 0;
};

void StreamReader::read_quantizers(Bytes segment, Tables& tables) const {
  while (!segment.empty()) {
    const size_t width = (segment[0] >> 4) != 0 ? 2 : 1;
    if (segment.size() < 1 + 64 * width) broken("a quantization table ends early");
    std::array<uint16_t, 64>& table = tables.quantizers[segment[0] & 3];
    for (size_t k = 0; k < 64; ++k) {
      const uint8_t* value = segment.data() + 1 + k * width;
      table[k] = static_cast<uint16_t>(width == 2 ? value[0] << 8 | value[1] : value[0]);
    }
    segment = segment.subspan(1 + 64 * width);
  }
}

void StreamReader::read_codes(Bytes segment, Tables& tables) const {
  while (segment.size() >= 17) {
    const Bytes counts = segment.subspan(1, 16);
    size_t total = 0;
    for (const uint8_t count : counts) total += count;
    if (segment.size() < 17 + total) broken("a Huffman table ends early");
    auto& tables_of_kind = (segment[0] >> 4) != 0 ? tables.ac : tables.dc;
    tables_of_kind[segment[0] & 3] = make_table(counts, segment.subspan(17, total));
    segment = segment.subspan(17 + total);
  }
}

Tables StreamReader::read_tables() {
  Tables tables;
  while (at_ + 4 <= bytes_.size() && bytes_[at_] == 0xFF) {
    const uint8_t marker = bytes_[at_ + 1];
    if (marker == 0xFF) {
      ++at_;
      continue;
    }
    const size_t length = static_cast<size_t>(bytes_[at_ + 2] << 8 | bytes_[at_ + 3]);
    if (length < 2 || length > bytes_.size() - at_ - 2) break;
    const Bytes segment = bytes_.subspan(at_ + 4, length - 2);
    at_ += 2 + length;
    if (marker == 0xDB) read_quantizers(segment, tables);
    if (marker == 0xC4) read_codes(segment, tables);
    if (marker == 0xC1 && segment.size() >= 9) tables.quantizer = segment[8] & 3;
    if (marker == 0xDD && segment.size() >= 2)
      tables.restart_interval = segment[0] << 8 | segment[1];
    if (marker != 0xDA) continue;
    if (segment.size() < 3) break;
    tables.dc_index = segment[2] >> 4 & 3;
    tables.ac_index = segment[2] & 3;
    return tables;
  }
  broken("it has no scan");
}

int StreamReader::bit() {
  if (bits_left_ == 0) {
    if (at_ >= bytes_.size()) broken("the scan ends early");
    byte_ = bytes_[at_++];
    if (byte_ == 0xFF) {  // a stuffed zero follows, or the scan is over
      if (at_ >= bytes_.size() || bytes_[at_] != 0) broken("the scan ends early");
      ++at_;
    }
    bits_left_ = 8;
  }
  return static_cast<int>(byte_ >> --bits_left_ & 1);
}

int StreamReader::symbol(const HuffmanTable& table) {
  uint32_t code = 0;
  for (size_t length = 1; length <= 16; ++length) {
    code = code << 1 | static_cast<uint32_t>(bit());
    if (code >= table.first[length] && code - table.first[length] < table.count[length]) {
      return table.symbols[table.offset[length] + code - table.first[length]];
    }
  }
  broken("a code that no table has");
}

/// F.2.2.1: the value of `bits` additional bits, negative when the first is 0.
int StreamReader::extended(int bits) {
  if (bits > 16) broken("a coefficient of more than 16 bits");
  int value = 0;
  for (int i = 0; i < bits; ++i) value = value << 1 | bit();
  return bits == 0 || (value >> (bits - 1)) != 0 ? value : value - (1 << bits) + 1;
}

void StreamReader::restart() {
  bits_left_ = 0;
  if (at_ + 2 > bytes_.size() || bytes_[at_] != 0xFF || (bytes_[at_ + 1] & 0xF8) != 0xD0) {
    broken("a restart marker is missing");
  }
  at_ += 2;
}

/// Dequantized coefficients in their places.
Block read_block(StreamReader& reader, const Tables& tables, int64_t& previous) {
  const std::array<uint16_t, 64>& quantizer = tables.quantizers[tables.quantizer];
  Block block{};
  previous += reader.extended(reader.symbol(tables.dc[tables.dc_index]));
  previous =
      std::clamp<int64_t>(previous, -0x10000, 0xFFFF);  // a stream that adds up to more is no image
  block[0] = previous * quantizer[0];
  for (size_t k = 1; k < 64; ++k) {
    const int code = reader.symbol(tables.ac[tables.ac_index]);
    const int zeros = code >> 4, bits = code & 15;
    if (bits == 0 && zeros < 15) break;
    k += static_cast<size_t>(zeros);
    if (bits == 0) continue;
    const int value = reader.extended(bits);
    if (k < 64) block[kZigzag[k]] = int64_t{value} * quantizer[k];
  }
  return block;
}

constexpr int kConstantBits = 9, kSampleBits = 4;

constexpr int64_t fixed(double value) {
  return static_cast<int64_t>(value * (1 << kConstantBits) + 0.5);
}

int64_t round_off(int64_t value, int bits) { return (value + (int64_t{1} << (bits - 1))) >> bits; }

/// One pass over eight values `step` apart, scaled by 2^kConstantBits · √8, then rounded by `shift`
/// bits. The names are those of the paper's figure: rotations by 6π/16 on the even side, the common
/// factor on the odd one.
void transform(int64_t* v, size_t step, int shift) {
  const int64_t x2 = v[2 * step], x6 = v[6 * step];
  const int64_t even = (x2 + x6) * fixed(0.541196100);
  const int64_t low = even - x6 * fixed(1.847759065), high = even + x2 * fixed(0.765366865);
  const int64_t sum = (v[0] + v[4 * step]) << kConstantBits, difference = (v[0] - v[4 * step])
                                                                          << kConstantBits;
  const std::array<int64_t, 4> evens = {sum + high, difference + low, difference - low, sum - high};

  const int64_t x1 = v[step], x3 = v[3 * step], x5 = v[5 * step], x7 = v[7 * step];
  const int64_t common = (x7 + x3 + x5 + x1) * fixed(1.175875602);
  const int64_t z71 = -(x7 + x1) * fixed(0.899976223), z53 = -(x5 + x3) * fixed(2.562915447);
  const int64_t z73 = common - (x7 + x3) * fixed(1.961570560),
                z51 = common - (x5 + x1) * fixed(0.390180644);
  const std::array<int64_t, 4> odds = {
      x1 * fixed(1.501321110) + z71 + z51, x3 * fixed(3.072711026) + z53 + z73,
      x5 * fixed(2.053119869) + z53 + z51, x7 * fixed(0.298631336) + z71 + z73};
  for (size_t i = 0; i < 4; ++i) {
    v[i * step] = round_off(evens[i] + odds[i], shift);
    v[(7 - i) * step] = round_off(evens[i] - odds[i], shift);
  }
}

void inverse_dct(Block& block) {
  for (int64_t& value : block) value *= 1 << kSampleBits;
  for (size_t row = 0; row < 8; ++row) transform(block.data() + 8 * row, 1, kConstantBits);
  for (size_t column = 0; column < 8; ++column)
    transform(block.data() + column, 8, kConstantBits + 3);
  constexpr int64_t kMiddle = 2048, kGreatest = 4095;
  for (int64_t& value : block) {
    value = std::clamp<int64_t>(round_off(value, kSampleBits) + kMiddle, 0, kGreatest);
  }
}
}  // namespace

std::vector<int32_t> decode_jpeg12_gray(Bytes bytes, int width, int height,
                                        const std::string& where) {
  StreamReader reader(bytes, where);
  const Tables tables = reader.read_tables();
  std::vector<int32_t> out(static_cast<size_t>(width) * height);
  int64_t previous = 0;
  size_t blocks = 0;
  for (int top = 0; top < height; top += 8) {
    for (int left = 0; left < width; left += 8, ++blocks) {
      if (tables.restart_interval != 0 && blocks != 0 && blocks % tables.restart_interval == 0) {
        reader.restart();
        previous = 0;
      }
      Block block = read_block(reader, tables, previous);
      inverse_dct(block);
      for (int y = top; y < std::min(top + 8, height); ++y) {
        for (int x = left; x < std::min(left + 8, width); ++x) {
          out[static_cast<size_t>(y) * width + x] =
              static_cast<int32_t>(block[(y - top) * 8 + x - left]);
        }
      }
    }
  }
  return out;
}

}  // namespace vesalius::media
