// NumPy's array files (NEP 1, format versions 1 to 3).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"

namespace vesalius::media {

/// What an array's elements are: kind 'b' truth values, 'i' and 'u' integers, 'f' floats, 'O'
/// pickled objects; `width` in bytes.
struct NpyType {
  char kind = 'f';
  int width = 4;
  bool big_endian = false;
  std::string text() const;  // "<f4"
  bool operator==(const NpyType&) const = default;
};

struct NpyHeader {
  NpyType type;
  bool fortran_order = false;
  std::vector<int64_t> shape;
  size_t data_start = 0;
  int64_t elements() const;
};

/// An array as it is stored: `bytes` in the order that `header` says. Of objects: the pickle.
struct NpyArray {
  NpyHeader header;
  std::vector<uint8_t> bytes;
};

/// From the first bytes of a file (all of the header must be there). Error kUnsupported for records
/// and kinds of elements that are not named above, or for more than 2^33 of them.
NpyHeader parse_npy_header(Bytes head, const std::string& where);

/// How many bytes at the start of a file hold its header, from its first 12; 0 if it is no NPY.
size_t npy_header_size(Bytes head);

/// Header and padding of a C-ordered little-endian array.
std::vector<uint8_t> npy_header_bytes(const NpyType& type, const std::vector<int64_t>& shape);

/// The elements in C order: the last index runs fastest. For float, double, int64_t, uint16_t.
/// Error kUnsupported for pickled objects, and where a value is not kept by T but by float (a
/// number in float32 may lose its last digits).
template <class T>
std::vector<T> elements_of(const NpyArray& array, const std::string& where);

}  // namespace vesalius::media
