// The state dict in a pickle of torch.save: which entry it is, and what its tensors say.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/pickle.h"
#include "checkpoint/safetensors_header.h"

namespace vesalius {

/// A tensor as the pickle describes it. No number in it is negative; nothing else is checked.
struct StoredTensor {
  std::string storage;  // name of the entry data/NAME of the file
  TensorType type = TensorType::kF32;
  int64_t storage_count = 0;  // elements
  int64_t offset = 0;         // elements
  std::vector<int64_t> shape, strides;
};

/// The state dict by the rule of read_torch_file. Error kModel names `where`, the entry and what it
/// asks for.
std::map<std::string, StoredTensor> read_state_dict(const Pickle& pickle, const std::string& key,
                                                    const std::string& where);

}  // namespace vesalius
