// The first byte chooses: a whole file, or the pickle of an otherwise sound one (whose checksum no
// mutation could keep right). What is taken must be readable to its last value.
#include <ATen/ATen.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "base/zip_writer.h"
#include "checkpoint/torch_file.h"
#include "guarded.h"

namespace {

using namespace vesalius;

fs::path scratch() {
  static const fs::path path =
      fs::temp_directory_path() / ("torch-fuzz-" + std::to_string(::getpid()) + ".pt");
  return path;
}

void write_around(std::string_view pickle) {
  ZipWriter zip(scratch());
  zip.add("a/data.pkl", pickle);
  zip.add("a/data/0", std::string(1000, '\x3f'));
  zip.add("a/data/1", std::string(3, '\1'));
  zip.commit();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view content(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    std::ofstream(scratch(), std::ios::binary) << content;
  } else {
    write_around(content);
  }
  const int code = guarded([] {
    for (const auto& [name, tensor] : read_torch_file(scratch()))
      if (tensor.contiguous().numel() != tensor.numel()) __builtin_trap();
  });
  fs::remove(scratch());
  return code;
}
