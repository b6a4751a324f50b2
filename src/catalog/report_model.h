// A model that writes findings on chest films, behind one interface for MAIRA-2, CXRReportGen and
// their like.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/report_architecture.h"
#include "models/generation.h"
#include "text/tokenizer.h"

namespace vesalius::catalog {

/// Texts one after another; what two prompts have in common at their beginning is read once.
class ReportSession {
 public:
  virtual ~ReportSession() = default;
  virtual models::Generated generate(const models::PromptInput& prompt,
                                     const models::GenerateOptions& options) = 0;
};

/// Calls are const and thread-safe; a session belongs to one thread.
class ReportModel {
 public:
  virtual ~ReportModel() = default;
  virtual const Card& card() const = 0;
  virtual const ReportArchitecture& architecture() const = 0;
  virtual const text::Tokenizer& tokenizer() const = 0;
  /// Ids of a prompt, every image token once for each row that an image has.
  virtual std::vector<int32_t> encode(const text::ReportPrompt& prompt) const = 0;
  /// Normalised pixels [n, 3, S, S] on the CPU -> [n, tokens, hidden], through the projector.
  virtual at::Tensor features(const at::Tensor& pixels) const = 0;
  /// `images` are hashes of the images' content, in their order.
  virtual models::PromptInput prompt(std::vector<int32_t> ids, const at::Tensor& features,
                                     std::span<const uint64_t> images) const = 0;
  virtual std::unique_ptr<ReportSession> session() const = 0;
  virtual std::string weights_sha256() const = 0;
  virtual std::string device() const = 0;
  virtual std::string precision() const = 0;
};

/// Opens report_model_folder's. Precision also int8 and int4 (of the decoder's weights). Error
/// kModel.
std::unique_ptr<ReportModel> open_report_model(const std::string& name_or_folder,
                                               const OpenOptions& options = {});

/// The fields that every JSON result carries, as for an embedding model.
Json provenance(const ReportModel& model, const recipes::Recipe& recipe);

}  // namespace vesalius::catalog
