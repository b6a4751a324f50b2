// Shows Python the tensors of a PyTorch checkpoint: one line of JSON each, or one with the error.
// Arguments: FILE [KEY [PREFIX]], or to write:
//   seeded FILE SEED SUFFIX=GAIN|- KEY PREFIX   with {"name", "shape", "values"} lines on stdin
//   copy FILE FROM KEY PREFIX                   of the tensors of another file
#include <iostream>

#include "base/hash.h"
#include "base/json.h"
#include "checkpoint/torch_file.h"
#include "checkpoint/torch_writer.h"

using namespace vesalius;

namespace {

void show(const std::string& path, const TorchFileOptions& options) {
  for (const auto& [name, tensor] : read_torch_file(path, options)) {
    const auto values = tensor.contiguous();
    const Bytes bytes(static_cast<const uint8_t*>(values.const_data_ptr()), values.nbytes());
    std::cout << dump_json({{"name", name},
                            {"shape", tensor.sizes().vec()},
                            {"dtype", at::toString(tensor.scalar_type())},
                            {"strides", tensor.strides().vec()},
                            {"sha256", sha256(bytes)}})
              << "\n";
  }
}

void write_seeded(const std::vector<std::string>& arguments) {
  Seeding seeding{.seed = std::stoull(arguments[2]), .gains = {}};
  if (arguments[3] != "-") seeding.gains.push_back(parse_gain(arguments[3]));
  std::vector<TensorEntry> entries;
  for (std::string line; std::getline(std::cin, line);) {
    const Json json = parse_json(line, "standard input");
    entries.push_back({.name = json.at("name"),
                       .shape = json.at("shape"),
                       .values = json.value("values", std::vector<float>())});
  }
  write_seeded_torch(arguments[1], entries, seeding, {.key = arguments[4], .prefix = arguments[5]});
}

}  // namespace

int main(int count, char** given) {
  std::vector<std::string> arguments(given + 1, given + count);
  const bool seeded = !arguments.empty() && arguments[0] == "seeded",
             copy = !arguments.empty() && arguments[0] == "copy";
  if (arguments.size() != (seeded ? 6 : copy ? 5 : arguments.size()) || arguments.empty()) return 2;
  try {
    if (seeded) {
      write_seeded(arguments);
    } else if (copy) {
      write_torch_file(arguments[1], read_torch_file(arguments[2]),
                       {.key = arguments[3], .prefix = arguments[4]});
    } else {
      arguments.resize(3);
      show(arguments[0], {.key = arguments[1], .prefix = arguments[2]});
    }
  } catch (const Error& error) {
    std::cout << dump_json({{"error", error.what()}, {"code", static_cast<int>(error.code())}})
              << "\n";
  }
}
