#include "media/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace vesalius::media {

namespace {
constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr int64_t kMaxElements = int64_t{1} << 33;
constexpr size_t kMaxDimensions = 32;  // of NumPy

[[noreturn]] void refuse(const std::string& where, const std::string& reason) {
  fail(ErrorCode::kUnsupported, "{}: is no array that is read here: {}", where, reason);
}

/// The header's text, a Python dictionary of three entries.
class DictReader {
 public:
  DictReader(std::string_view text, const std::string& where) : rest_(text), where_(where) {}

  NpyHeader read() {
    NpyHeader header;
    unsigned seen = 0;
    expect('{');
    while (!take('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr") {
        header.type = type();
        seen |= 1;
      } else if (key == "fortran_order") {
        header.fortran_order = truth();
        seen |= 2;
      } else if (key == "shape") {
        header.shape = shape();
        seen |= 4;
      } else {
        refuse(where_, "its header has an unknown entry");
      }
      take(',');
    }
    if (seen != 7) refuse(where_, "its header lacks descr, fortran_order or shape");
    return header;
  }

 private:
  void skip_space() {
    const size_t at = rest_.find_first_not_of(" \n\t");
    rest_.remove_prefix(std::min(at, rest_.size()));
  }
  bool take(char sign) {
    skip_space();
    if (rest_.empty() || rest_.front() != sign) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char sign) {
    if (!take(sign)) refuse(where_, fmt::format("its header lacks a '{}'", sign));
  }
  std::string_view quoted() {
    skip_space();
    const char quote = rest_.empty() ? ' ' : rest_.front();
    const size_t end = quote == '\'' || quote == '"' ? rest_.find(quote, 1) : rest_.npos;
    if (end == rest_.npos) refuse(where_, "its elements are records, or its header is damaged");
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool truth() {
    skip_space();
    for (const std::string_view word : {"True", "False"}) {
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return word == "True";
    }
    refuse(where_, "its fortran_order is neither True nor False");
  }
  NpyType type() {
    const std::string_view text = quoted();
    const std::string_view name = text.empty() ? text : text.substr(1);
    static constexpr std::array<std::string_view, 12> kKnown{"b1", "i1", "i2", "i4", "i8", "u1",
                                                             "u2", "u4", "u8", "f2", "f4", "f8"};
    const bool ordered = text.find_first_of("<>|=") == 0;
    if (ordered && name.starts_with('O')) return {'O', 8, false};
    if (!ordered || std::ranges::find(kKnown, name) == kKnown.end())
      refuse(where_, fmt::format("elements of type '{}' are not read; save real numbers",
                                 text.substr(0, 40)));
    return {name[0], name[1] - '0', text.front() == '>'};
  }
  std::vector<int64_t> shape() {
    std::vector<int64_t> sides;
    expect('(');
    while (!take(')')) {
      skip_space();
      int64_t side = -1;
      const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), side);
      if (problem != std::errc() || side < 0 || sides.size() == kMaxDimensions)
        refuse(where_, "its shape is not a list of sizes");
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      sides.push_back(side);
      take('L');  // of Python 2
      take(',');
    }
    return sides;
  }

  std::string_view rest_;
  const std::string& where_;
};

/// IEEE 754 binary16.
struct Half {
  uint16_t bits;
};

float number_of(Half half) {
  const uint16_t bits = half.bits;
  const int exponent = (bits >> 10) & 0x1F, fraction = bits & 0x3FF;
  const float size = exponent == 31 ? (fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                                                     : std::numeric_limits<float>::infinity())
                     : exponent == 0
                         ? std::ldexp(static_cast<float>(fraction), -24)
                         : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

template <class Number>
Number number_of(Number x) {
  return x;
}

template <class From>
From stored(const uint8_t* from, bool swapped) {
  std::array<uint8_t, sizeof(From)> raw{};
  std::memcpy(raw.data(), from, sizeof(From));
  if (swapped) std::ranges::reverse(raw);
  return std::bit_cast<From>(raw);
}

/// Whether `value` is among the whole numbers of To.
template <class To, class From>
bool fits(From value) {
  if constexpr (std::is_floating_point_v<From>) {
    return value == std::trunc(value) &&
           value >= static_cast<From>(std::numeric_limits<To>::min()) &&
           value < std::ldexp(From{1}, std::numeric_limits<To>::digits);
  } else {
    return std::in_range<To>(value);
  }
}

template <class To, class From>
void convert(const NpyArray& array, std::vector<To>& out, const std::string& where) {
  for (size_t i = 0; i < out.size(); ++i) {
    const auto value = number_of(
        stored<From>(array.bytes.data() + i * sizeof(From), array.header.type.big_endian));
    if constexpr (std::is_integral_v<To>) {
      if (!fits<To>(value))
        refuse(where, "it holds values that are no whole numbers, or too large ones");
    }
    out[i] = static_cast<To>(value);
  }
}

template <class T>
std::vector<T> in_stored_order(const NpyArray& array, const std::string& where) {
  std::vector<T> out(static_cast<size_t>(array.header.elements()));
  const NpyType type = array.header.type;
  const std::string name = std::string(1, type.kind) + std::to_string(type.width);
  if (name == "u1" || name == "b1") convert<T, uint8_t>(array, out, where);
  if (name == "u2") convert<T, uint16_t>(array, out, where);
  if (name == "u4") convert<T, uint32_t>(array, out, where);
  if (name == "u8") convert<T, uint64_t>(array, out, where);
  if (name == "i1") convert<T, int8_t>(array, out, where);
  if (name == "i2") convert<T, int16_t>(array, out, where);
  if (name == "i4") convert<T, int32_t>(array, out, where);
  if (name == "i8") convert<T, int64_t>(array, out, where);
  if (name == "f2") convert<T, Half>(array, out, where);
  if (name == "f4") convert<T, float>(array, out, where);
  if (name == "f8") convert<T, double>(array, out, where);
  return out;
}

/// From Fortran order, where the first index runs fastest.
template <class T>
std::vector<T> to_c_order(const std::vector<T>& values, const std::vector<int64_t>& shape) {
  std::vector<size_t> index(shape.size()), stride(shape.size(), 1);
  for (size_t a = 1; a < shape.size(); ++a)
    stride[a] = stride[a - 1] * static_cast<size_t>(shape[a - 1]);
  std::vector<T> out(values.size());
  size_t at = 0;
  for (T& value : out) {
    value = values[at];
    for (size_t a = shape.size(); a-- > 0;) {
      at += stride[a];
      if (++index[a] < static_cast<size_t>(shape[a])) break;
      at -= stride[a] * index[a];
      index[a] = 0;
    }
  }
  return out;
}
}  // namespace

std::string NpyType::text() const {
  const char order = width == 1 ? '|' : big_endian ? '>' : '<';
  return std::string(1, order) + kind + std::to_string(width);
}

int64_t NpyHeader::elements() const {
  int64_t count = 1;
  for (const int64_t side : shape) count *= side;
  return count;
}

size_t npy_header_size(Bytes head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  if (head.size() < 12 || !text.starts_with(kMagic) || head[6] < 1 || head[6] > 3) return 0;
  const size_t low = head[8] | size_t{head[9]} << 8;
  if (head[6] == 1) return 10 + low;
  return 12 + (low | size_t{head[10]} << 16 | size_t{head[11]} << 24);
}

NpyHeader parse_npy_header(Bytes head, const std::string& where) {
  const size_t size = npy_header_size(head);
  if (size == 0 || size > head.size()) refuse(where, "it is not in NumPy's format, or cut off");
  const size_t text_start = head[6] == 1 ? 10 : 12;
  const std::string_view text(reinterpret_cast<const char*>(head.data()) + text_start,
                              size - text_start);
  NpyHeader header = DictReader(text, where).read();
  int64_t room = kMaxElements;
  for (const int64_t side : header.shape) room /= std::max<int64_t>(side, 1);
  if (room < 1) refuse(where, "it claims more elements than any array here may have");
  header.data_start = size;
  return header;
}

std::vector<uint8_t> npy_header_bytes(const NpyType& type, const std::vector<int64_t>& shape) {
  std::string sides;
  for (const int64_t side : shape) sides += std::to_string(side) + ", ";
  if (shape.size() > 1) sides.resize(sides.size() - 2);
  std::string text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type.text(), sides);
  constexpr size_t kHead = 10, kAlignment = 64;
  text.append(kAlignment - 1 - (kHead + text.size()) % kAlignment, ' ');
  text += '\n';
  std::string head(kMagic);
  head += {1, 0, static_cast<char>(text.size()), static_cast<char>(text.size() >> 8)};
  head += text;
  return {head.begin(), head.end()};
}

template <class T>
std::vector<T> elements_of(const NpyArray& array, const std::string& where) {
  if (array.header.type.kind == 'O') refuse(where, "its elements are Python objects");
  std::vector<T> values = in_stored_order<T>(array, where);
  if (!array.header.fortran_order || array.header.shape.size() < 2) return values;
  return to_c_order(values, array.header.shape);
}

template std::vector<float> elements_of(const NpyArray&, const std::string&);
template std::vector<double> elements_of(const NpyArray&, const std::string&);
template std::vector<int64_t> elements_of(const NpyArray&, const std::string&);
template std::vector<uint16_t> elements_of(const NpyArray&, const std::string&);

}  // namespace vesalius::media
