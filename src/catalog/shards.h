// Weights in several files, as Hugging Face writes large models: model.safetensors.index.json names
// the file of each tensor.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/files.h"

namespace vesalius::catalog {

inline constexpr const char* kShardIndex = "model.safetensors.index.json";

/// The files that the weights lie in, in the order of their names: those of an index, else the file
/// itself. Error kModel for an index that names none, or a file outside its folder.
std::vector<fs::path> weight_files(const fs::path& weights);

/// Bytes of all of them.
int64_t weight_bytes(const fs::path& weights);

/// Tensors of all files of an index, else of the file itself; views on the mapped files. Error
/// kModel for a git-LFS pointer in a file's place, and when a tensor is in another file than the
/// index says, or in two.
std::map<std::string, at::Tensor> read_shards(const fs::path& weights);

}  // namespace vesalius::catalog
