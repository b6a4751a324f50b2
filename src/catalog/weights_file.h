// A weights file of either kind, told apart by what is in it.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "base/files.h"

namespace vesalius::catalog {

/// The tensors of a safetensors file or of torch.save's zip format (a flat state dict, or
/// Lightning's under `state_dict`), whatever the file's ending says; a wrapper's "model." is taken
/// off. Views on the mapped file. Error kModel for a git-LFS pointer, a file too small to hold a
/// model, and one that is neither or not whole.
std::map<std::string, at::Tensor> read_weights(const fs::path& path);

/// Error kModel for a git-LFS pointer in the weights' place.
void refuse_pointer(const fs::path& path);

/// Weights are floating-point numbers; a file of others is another kind of file, whatever its
/// names. Error kModel lists them.
void check_types(const std::map<std::string, at::Tensor>& tensors, const fs::path& path);

}  // namespace vesalius::catalog
