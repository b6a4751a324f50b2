// BiomedParse's and MedImageParse's folders: one weights file, and nothing else that is needed.
#pragma once

#include <string>
#include <vector>

#include "catalog/family.h"
#include "catalog/parse_architecture.h"

namespace vesalius::catalog {

/// Their rows of the table. MedImageParse and MedImageParse 3D are version 2.
Family parse_family_v1();
Family parse_family_v2();

/// 1 or 2, of a package of one of these families.
int parse_version(const Package& package);

/// Its card's sizes, or the published ones. Error kModel as of read_architecture.
ParseArchitecture architecture_of(const Package& package);

/// What our own writers call the weights.
inline constexpr const char* kParseWeights = "weights.safetensors";

// The other columns of the rows, each beside what it is about.
void check_parse(const Package& package, const Card* published);
Json parse_outputs(const fs::path& folder, const OpenOptions& options,
                   const std::string& reference);
std::vector<Check> compare_parse(const Json& now, const Json& stored, const std::string& precision);
std::string find_unseeded_parse(const Package& package, const Seeding& seeding);
SeededFiles write_seeded_parse(const SeededOrder& order, const Advance& advance);
int64_t seeded_parse_v1_work(const std::string& size);
int64_t seeded_parse_v2_work(const std::string& size);

}  // namespace vesalius::catalog
