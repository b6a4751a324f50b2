// Tensors into the zip format of torch.save, which torch.load(path, weights_only=True) reads.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "checkpoint/seeded.h"

namespace vesalius {

struct TorchWriteOptions {
  /// Entry of an outer dict under which the state dict stands (Lightning's "state_dict"). Empty:
  /// the file is the state dict.
  std::string key;
  std::string prefix;  // put before every name ("model.")
};

/// Writes beside and renames. Tensors are written in the order of their names, made contiguous on
/// the CPU, each with a storage of its own. Error kFailed for a type that torch_file does not read.
void write_torch_file(const fs::path& path, const std::map<std::string, at::Tensor>& tensors,
                      const TorchWriteOptions& options = {});

/// Writes seeded float32 values under these names and shapes, in this order, without ever holding
/// more than a chunk of them; the prefix has no part in the values. Else as write_seeded.
void write_seeded_torch(const fs::path& path, const std::vector<TensorEntry>& tensors,
                        const Seeding& seeding, const TorchWriteOptions& options = {},
                        const std::function<void(int64_t bytes)>& advance = {});

}  // namespace vesalius
