#include "checkpoint/safetensors_header.h"
#include "guarded.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vesalius;
  return guarded([&] {
    auto header = parse_safetensors_header({data, size}, "input");
    // What was taken must cover the data, and say the same when it is written again.
    uint64_t bytes = 0;
    for (const auto& tensor : header.tensors) bytes += tensor.end - tensor.begin;
    if (bytes != size - header.data_start) __builtin_trap();
    auto tensors = header.tensors;
    const std::string again = make_safetensors_header(tensors);
    const std::string file = again + std::string(bytes, '\0');
    const Bytes view(reinterpret_cast<const uint8_t*>(file.data()), file.size());
    if (parse_safetensors_header(view, "again").tensors.size() != tensors.size()) __builtin_trap();
  });
}
