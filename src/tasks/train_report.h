// Training of a report model on films with their reports, from nothing or from a checkpoint.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "catalog/report_architecture.h"
#include "tasks/report_batches.h"
#include "tasks/train_loop.h"
#include "text/tokenizer.h"

namespace vesalius::tasks {

/// What is trained: everything; projector and language model; the projector, and the language model
/// by updates of low rank; the projector alone.
enum class ReportPart { kAll, kLanguage, kLowRank, kProjector };

struct ReportTrainOptions : LoopOptions {
  ReportPart part = ReportPart::kLowRank;
  int64_t batch = 4, rank = 8;
  int64_t examples = 16;   // films of the validation that are written about after every epoch
  double vision_rate = 1;  // share of the learning rate for the image encoder
  FilmAugmentation augmentation;
};

/// A network by its tensors: the model is built anew around whatever they are at a step.
struct ReportTrainee {
  catalog::ReportArchitecture architecture;
  std::map<std::string, at::Tensor> tensors;
  const text::Tokenizer* tokenizer = nullptr;
};

/// What the model wrote about a film, beside what it should have.
struct ReportExample {
  std::string film, written, truth;
};
using ShowReports = std::function<void(int64_t epoch, const std::vector<ReportExample>&)>;

/// Mean negative log-likelihood of the answers' tokens, end of text among them. Differentiable.
at::Tensor report_loss(const models::Maira2& model, const std::vector<ReportSample>& samples);

/// Every random draw depends on (seed, step, place in the batch) alone. `result.weights` holds
/// whole weights whatever part was trained. After every epoch the log has "validation_loss" and,
/// of texts written, "well_formed" and "finding_f1" (micro, 14 labels by rule). Error kUnsupported
/// for films that cannot be read.
TrainResult train_report(const ReportTrainee& trainee, std::vector<ReportRow> training,
                         std::vector<ReportRow> validation, const ReportTrainOptions& options,
                         const TrainLog& log, const StopRequest& stop = {},
                         const ShowReports& show = {});

}  // namespace vesalius::tasks
