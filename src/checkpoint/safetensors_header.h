// The header of a safetensors file, checked hard before anything in it is believed
// (huggingface/safetensors).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/files.h"

namespace vesalius {

enum class TensorType { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

const char* type_name(TensorType type);  // "F32", as the file spells it
int64_t type_bytes(TensorType type);

struct TensorEntry {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // bytes, from the start of the data
  /// Of a tensor that is to be made: what the model's definition puts there, row-major, or one
  /// value for all. Empty for everything else.
  std::vector<float> values;

  int64_t count() const;  // of elements
};

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  // in the order of their data
  std::map<std::string, std::string> metadata;
  uint64_t data_start = 0;  // bytes, from the start of the file
};

/// Parses the start of a whole file. The tensors must fill the data without gap or overlap. Error
/// kModel names `where` and what is wrong; sizes are checked in 64 bits and nothing is allocated on
/// a header's word.
SafetensorsHeader parse_safetensors_header(Bytes file, const std::string& where);

/// Header bytes (length, JSON, padding to eight) of a file with these tensors, as the published
/// writer lays them out: wide types first, then by name, so that nothing is unaligned. Sorts
/// `tensors` so and fills in their offsets.
std::string make_safetensors_header(std::vector<TensorEntry>& tensors,
                                    const std::map<std::string, std::string>& metadata = {});

}  // namespace vesalius
