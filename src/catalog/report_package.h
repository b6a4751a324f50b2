// Folders of MAIRA-2, CXRReportGen and their like, as Hugging Face lays models out: config.json,
// tokenizer.json, safetensors in one file or in shards.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/device.h"
#include "catalog/family.h"
#include "catalog/report_architecture.h"
#include "text/tokenizer.h"

namespace vesalius::catalog {

/// Their row of the table.
Family report_family();

/// The folder behind a name, or the folder itself. Empty: cxrreportgen when installed, else
/// maira-2, starter-report.
fs::path report_model_folder(const std::string& name_or_folder);

/// A package with its model. The store holds the tensors by MAIRA-2's names in files.
struct OpenReportPackage {
  Package package;
  ReportArchitecture architecture;
  std::shared_ptr<TensorStore> store;
  std::unique_ptr<models::Maira2> model;
};

/// Binds every tensor to the model, mapped where the files hold what is wanted; `keep_stored`
/// leaves the matrices of decoder blocks in the type that the file has them in. Takes the names
/// that transformers 4 saves, those of its newer classes, and both spellings of DINOv2's attention.
/// Error kModel lists all that is missing, extra or mis-shaped.
OpenReportPackage open_report_package(const fs::path& folder, const Placement& placement = {},
                                      bool keep_stored = false);

/// The tensors of a weights file or index by MAIRA-2's names in files.
std::map<std::string, at::Tensor> read_report_weights(const fs::path& weights);

/// tokenizer.json of the package. Error kModel when it lacks a token that reports need.
text::Tokenizer open_report_tokenizer(const Package& package, const ReportArchitecture& a);

/// Writes config.json, preprocessor_config.json, processor_config.json, generation_config.json and
/// tokenizer.json.
void write_report_files(const fs::path& folder, const ReportArchitecture& architecture,
                        const Json& tokenizer);

// The other columns of the row, each beside what it is about.
Json report_outputs(const fs::path& folder, const OpenOptions& options,
                    const std::string& reference);
std::vector<Check> compare_report(const Json& now, const Json& stored,
                                  const std::string& precision);
SeededFiles write_seeded_report(const SeededOrder& order, const Advance& advance);
std::string find_unseeded_report(const Package& package, const Seeding& seeding);
int64_t seeded_report_work(const std::string& size);

}  // namespace vesalius::catalog
