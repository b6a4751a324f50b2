// The config.yaml of a MedImageInsight package, read and written.
#pragma once

#include <string>

#include "base/files.h"
#include "models/medimageinsight.h"

namespace vesalius::catalog {

/// Fills a config from the published keys (IMAGE_ENCODER, LANG_ENCODER, UNICL_MODEL); a dotted key
/// at the top
/// ("IMAGE_ENCODER.SPEC.WINDOW_SIZE: 6") overrides the nested one. Keys of the original trainer are
/// ignored,
/// `${…}` is not expanded. The vocabulary is not in the file: see the tokenizer or the embedding's
/// shape. Error kModel for what is missing, of the wrong kind, inconsistent, or a variant that is
/// not built here.
models::MedImageInsightConfig parse_config(const std::string& yaml, const std::string& where);
models::MedImageInsightConfig read_config(const fs::path& path);

/// The same keys, so that parse_config(write_config(c)) is c but for the vocabulary.
std::string write_config(const models::MedImageInsightConfig& config);

}  // namespace vesalius::catalog
