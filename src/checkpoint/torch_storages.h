// The classes that torch.save names for storages of each type.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "checkpoint/safetensors_header.h"

namespace vesalius {

using TorchStorage = std::pair<TensorType, std::string_view>;

/// Names in the module `torch`.
inline constexpr std::array<TorchStorage, 10> kTorchStorages{
    {{TensorType::kF64, "DoubleStorage"},
     {TensorType::kF32, "FloatStorage"},
     {TensorType::kF16, "HalfStorage"},
     {TensorType::kBF16, "BFloat16Storage"},
     {TensorType::kI64, "LongStorage"},
     {TensorType::kI32, "IntStorage"},
     {TensorType::kI16, "ShortStorage"},
     {TensorType::kI8, "CharStorage"},
     {TensorType::kU8, "ByteStorage"},
     {TensorType::kBool, "BoolStorage"}}};

}  // namespace vesalius
