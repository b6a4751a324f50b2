// The sizes and words of MAIRA-2, CXRReportGen and their like, as Hugging Face's config files and
// the card have them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "catalog/package.h"
#include "checkpoint/safetensors_header.h"
#include "models/maira2.h"
#include "recipes/recipe.h"
#include "text/grounded_text.h"
#include "text/report_prompt.h"

namespace vesalius::catalog {

struct ReportArchitecture {
  models::Maira2Config model;
  recipes::ModelInput input;
  text::GroundingTokens grounding;
  text::ReportWording wording = text::ReportWording::maira2();
  std::vector<int32_t> stop;  // ids that end a text
  int64_t context = 4096;     // tokens that the decoder was made for
};

/// MAIRA-2 as published, or "tiny" and "middle" of the same parts; `fused` with Phi-3's decoder as
/// CXRReportGen has it. Error kUsage for another size.
ReportArchitecture sized_report_architecture(const std::string& size, bool fused);

/// config.json, preprocessor_config.json, processor_config.json and generation_config.json of the
/// package's folder, in the spellings of transformers 4 and 5; over them the card's [architecture]
/// and [wording], which hold what is uncertain about a closed package. Error kModel names file and
/// key of what is missing, unknown or cannot be built.
ReportArchitecture read_report_architecture(const Package& package);
/// From the texts of those files; `where` names them in errors.
models::Maira2Config read_report_config(const Json& config, const Json& changes,
                                        const std::string& where);

/// config.json as read_report_config() takes it.
Json write_report_config(const ReportArchitecture& architecture);

/// Every tensor that the model takes, by its name in files.
std::vector<TensorEntry> tensor_list(const models::Maira2Config& config);

}  // namespace vesalius::catalog
