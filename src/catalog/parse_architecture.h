// The sizes of a BiomedParse network, as its card's [architecture] has them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "checkpoint/safetensors_header.h"
#include "models/biomedparse.h"

namespace vesalius::catalog {

struct ParseArchitecture {
  int version = 2;
  int64_t image_size = 512;  // side of the square planes it reads, pixels
  models::BiomedParseConfig model;
};

/// Version 1's (1024 pixels) or 2's (512), which MedImageParse also is.
ParseArchitecture published_architecture(int version);
/// The same parts at a few thousandths of the size, with the same tokenizer.
ParseArchitecture tiny_architecture(int version);

/// What the table says over the published sizes; an empty one says nothing. Error kModel, naming
/// `where`, for an unknown key, a value of another kind, and sizes that no network can have.
ParseArchitecture read_architecture(const Json& table, int version, const std::string& where);
/// Every key of the version, so that read_architecture(write_architecture(a)) is a.
Json write_architecture(const ParseArchitecture& architecture);

/// Every tensor that the model takes, by its published name, with the values that its definition
/// gives; nothing is allocated for them.
std::vector<TensorEntry> tensor_list(const ParseArchitecture& architecture);

}  // namespace vesalius::catalog
