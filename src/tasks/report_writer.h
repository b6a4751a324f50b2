// Writing a report: films and words through a report model, sentence by sentence.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "catalog/report_model.h"
#include "tasks/films.h"
#include "tasks/report.h"

namespace vesalius::tasks {

/// A study as it is asked about.
struct ReportStudy {
  PreparedFilm frontal;
  std::optional<PreparedFilm> lateral, prior;
  text::ReportContext context;  // lateral and prior are set by what is there
};

struct ReportOptions {
  text::ReportTask task = text::ReportTask::kGroundedFindings;
  int64_t max_new_tokens = 0;  // 0: the published limit: findings 300, grounded 450, phrase 150
  models::Sampling sampling;
  int64_t samples = 0;  // further texts, drawn, that the sentences are compared with
  bool speculate = true, reuse_prefix = true, cache_features = true;
};

/// What happens meanwhile. Any may be empty.
struct ReportHooks {
  std::function<void(const std::string& sentence)> on_sentence;  // as it is finished
  std::function<void(int64_t done, int64_t total)> on_prompt;    // tokens read
  std::function<bool()> stop;                                    // asked at every token
};

/// How the last text came to be.
struct ReportEffort {
  int64_t prompt_tokens = 0, reused = 0, written = 0, guessed = 0, accepted = 0;
  double features_s = 0, prompt_s = 0, text_s = 0;
};

/// Keeps image features by content and the beginning of the last prompt, so that a second task on
/// the same study costs its own words alone. Not for several threads at once.
class ReportWriter {
 public:
  explicit ReportWriter(const catalog::ReportModel& model);
  /// A stop gives what was written so far, marked as incomplete. A prompt that does not fit is
  /// shortened at the end of the prior report, which the report's warnings say. Error kUnsupported
  /// when even that is not enough.
  Report write(const ReportStudy& study, const ReportOptions& options,
               const ReportHooks& hooks = {});
  const ReportEffort& effort() const { return effort_; }

 private:
  /// [films, tokens, hidden]
  at::Tensor features(const std::vector<const PreparedFilm*>& films, bool cache);
  std::vector<int32_t> fitted_prompt(Report& report, int64_t new_tokens) const;

  const catalog::ReportModel& model_;
  std::unique_ptr<catalog::ReportSession> session_;
  std::map<uint64_t, at::Tensor> features_;  // [tokens, hidden] by the film's key
  ReportEffort effort_;
};

int64_t usual_limit(text::ReportTask task);

}  // namespace vesalius::tasks
