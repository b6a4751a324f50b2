// Where a model runs and in which numbers: the words of --device and --precision.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "nn/plan.h"

namespace vesalius::catalog {

/// auto, cpu, cuda or cuda:N. Error kDevice for one that is not there, kUsage for other words.
at::Device parse_device(const std::string& name);

/// What a precision asked for means on a device.
struct Numbers {
  std::string name;                               // "fp32"
  at::ScalarType type = at::kFloat;               // of the weights
  nn::Precision products = nn::Precision::kFp32;  // of the CPU's kernels
};

/// auto, fp32, bf16, and fp16 on a GPU. Error kDevice for bf16 on a CPU that is slow at it, kUsage
/// for other words.
Numbers choose_numbers(const std::string& asked, at::Device device);
/// The same for models with a decoder, whose weights on the CPU may also be int8 or int4.
Numbers choose_decoder_numbers(const std::string& asked, at::Device device);

/// Where a model's weights go, and as what. Those of a tower that is not used stay in the file.
struct Placement {
  at::Device device = at::kCPU;
  at::ScalarType type = at::kFloat;
  bool images = true, texts = true;
};

}  // namespace vesalius::catalog
