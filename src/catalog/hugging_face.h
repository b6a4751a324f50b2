// Folders as Hugging Face lays models out: config.json beside safetensors, in one file or in
// shards, and the files of a processor and a tokenizer.
#pragma once

#include <string_view>

#include "catalog/family.h"

namespace vesalius::catalog {

/// True if config.json in the folder, or where a layout begins below it, says this model_type.
bool says_model_type(const fs::path& folder, std::string_view model_type);

/// The parts, whatever model_type config.json says; the tokenizer is in the same folder. Error
/// kModel says what is missing for `kind`, as "a report model".
Package find_hugging_face(const fs::path& folder, std::string_view kind);

/// The weights and, of the small files, those that are there.
InstalledFiles hugging_face_files(const Package& package);

/// The folder's file, or an empty table.
Json read_beside(const fs::path& folder, const char* name);

}  // namespace vesalius::catalog
