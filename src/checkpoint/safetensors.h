// Tensors in and out of safetensors files.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "base/files.h"
#include "checkpoint/safetensors_header.h"

namespace vesalius {

at::ScalarType to_scalar_type(TensorType type);
/// Error kFailed names the tensor whose type no file can hold.
TensorType to_tensor_type(at::ScalarType type, const std::string& name);

/// Every tensor of the file, by name: views on its mapping, which lives as long as any of them.
/// Read-only memory: copy before writing. Error kModel for a file that is not whole.
std::map<std::string, at::Tensor> read_safetensors(const fs::path& path);

/// Writes beside and renames. Tensors are written in the order of their names, made contiguous on
/// the CPU.
void write_safetensors(const fs::path& path, const std::map<std::string, at::Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace vesalius
