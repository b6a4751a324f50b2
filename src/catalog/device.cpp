#include "catalog/device.h"

#include <ATen/detail/CUDAHooksInterface.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/error.h"

namespace vesalius::catalog {

at::Device parse_device(const std::string& name) {
  const bool cuda = at::globalContext().hasCUDA();
  if (name == "cpu" || (name == "auto" && !cuda)) return at::kCPU;
  if (name == "auto") return at::Device(at::kCUDA, 0);
  if (name == "cuda" || name.starts_with("cuda:")) {
    if (!cuda)
      fail(ErrorCode::kDevice, "device '{}': this LibTorch sees no GPU. Use --device cpu.", name);
    const auto number = std::string_view(name).substr(std::min<size_t>(name.size(), 5));
    int index = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), index);
    const bool whole = number.empty() ? name == "cuda"
                                      : read.ec == std::errc() &&
                                            read.ptr == number.data() + number.size() && index >= 0;
    const int count = at::detail::getCUDAHooks().deviceCount();
    if (whole && index >= count)
      fail(ErrorCode::kDevice, "device '{}': this machine has {}, counted from 0.", name, count);
    if (whole) return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
  }
  fail(ErrorCode::kUsage, "device '{}' is not known; choose auto, cpu, cuda or cuda:N.", name);
}

Numbers choose_numbers(const std::string& asked, at::Device device) {
  const bool cpu = device.is_cpu();
  const bool bf16 =
      asked == "bf16" || (asked == "auto" && cpu && nn::auto_precision() == nn::Precision::kBf16);
  if (bf16 && cpu && nn::auto_precision() != nn::Precision::kBf16)
    fail(ErrorCode::kDevice,
         "precision bf16: this CPU has no fast bfloat16. Use --precision auto or fp32.");
  if (bf16) return {"bf16", cpu ? at::kFloat : at::kBFloat16, nn::Precision::kBf16};
  if (asked == "fp16" && !cpu) return {"fp16", at::kHalf};
  if (asked == "auto" || asked == "fp32") return {"fp32"};
  fail(ErrorCode::kUsage,
       "precision '{}' is not offered by this model on {}; choose auto, fp32 or bf16{}.", asked,
       device.str(), cpu ? "" : " or fp16");
}

Numbers choose_decoder_numbers(const std::string& asked, at::Device device) {
  if (device.is_cpu() && asked == "int8") return {"int8", at::kFloat, nn::Precision::kInt8};
  if (device.is_cpu() && asked == "int4") return {"int4", at::kFloat, nn::Precision::kInt4};
  return choose_numbers(asked, device);
}

}  // namespace vesalius::catalog
