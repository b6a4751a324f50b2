#include "catalog/report_model.h"

#include <c10/core/InferenceMode.h>

#include "catalog/report_package.h"
#include "catalog/weights_hash.h"

namespace vesalius::catalog {
namespace {

class OpenedSession : public ReportSession {
 public:
  OpenedSession(const models::Decoder& decoder, nn::Precision precision)
      : precision_(precision), generation_(decoder) {}

  models::Generated generate(const models::PromptInput& prompt,
                             const models::GenerateOptions& options) override {
    const c10::InferenceMode inference;
    const nn::PlanScope plan(precision_);
    return generation_.generate(prompt, options);
  }

 private:
  nn::Precision precision_;
  models::Generation generation_;
};

class OpenedReport : public ReportModel {
 public:
  OpenedReport(const fs::path& folder, const OpenOptions& options)
      : device_(parse_device(options.device)),
        numbers_(choose_decoder_numbers(options.precision, device_)),
        opened_(open_report_package(folder, {.device = device_, .type = numbers_.type},
                                    /*keep_stored=*/numbers_.name != "fp32")),
        card_(card_of_package(opened_.package)),
        tokenizer_(open_report_tokenizer(opened_.package, opened_.architecture)),
        hash_(opened_.package.weights) {}

  const Card& card() const override { return card_; }
  const ReportArchitecture& architecture() const override { return opened_.architecture; }
  const text::Tokenizer& tokenizer() const override { return tokenizer_; }
  std::string weights_sha256() const override { return hash_.get(); }
  std::string device() const override { return device_.str(); }
  std::string precision() const override { return numbers_.name; }

  std::vector<int32_t> encode(const text::ReportPrompt& prompt) const override {
    const auto& model = opened_.architecture.model;
    std::vector<int32_t> ids;
    for (const int32_t id : tokenizer_.encode(prompt.text, {.plain = prompt.users}))
      ids.insert(ids.end(), id == model.image_token ? model.image_tokens() : 1, id);
    return ids;
  }

  at::Tensor features(const at::Tensor& pixels) const override {
    const c10::InferenceMode inference;
    const nn::PlanScope plan(numbers_.products);
    return opened_.model->features(pixels.to(device_, numbers_.type));
  }

  models::PromptInput prompt(std::vector<int32_t> ids, const at::Tensor& features,
                             std::span<const uint64_t> images) const override {
    const c10::InferenceMode inference;
    return opened_.model->prompt(std::move(ids), features, images);
  }

  std::unique_ptr<ReportSession> session() const override {
    return std::make_unique<OpenedSession>(opened_.model->language_model, numbers_.products);
  }

 private:
  at::Device device_;
  Numbers numbers_;
  OpenReportPackage opened_;
  Card card_;
  text::Tokenizer tokenizer_;
  WeightsHash hash_;  // computed meanwhile, where it is not known
};

}  // namespace

std::unique_ptr<ReportModel> open_report_model(const std::string& name_or_folder,
                                               const OpenOptions& options) {
  return std::make_unique<OpenedReport>(report_model_folder(name_or_folder), options);
}

}  // namespace vesalius::catalog
