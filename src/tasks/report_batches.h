// Batches for report training: films read once, turned and toned ahead of the step that uses them,
// with the tokens that are asked and answered.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "catalog/report_architecture.h"
#include "recipes/recipe.h"
#include "tasks/random.h"
#include "tasks/report_rows.h"
#include "text/tokenizer.h"

namespace vesalius::tasks {

/// How training films vary. Left stays left: nothing is mirrored.
struct FilmAugmentation {
  double turn = 7;      // degrees at most
  double scale = 0.12;  // share at most
  double shift = 0.06;  // share of the side at most
  double tone = 0.25;   // gamma, contrast and brightness
  bool on = true;
};

/// One study in tokens.
struct ReportSample {
  at::Tensor pixels;         // [images, 3, S, S] float32, normalised; undefined: text alone
  std::vector<int32_t> ids;  // prompt and answer
  int64_t answer = 0;        // where the answer begins in them
};

class ReportStore {
 public:
  /// Reads and squares every film. Error kUnsupported for one that cannot be read.
  ReportStore(std::vector<ReportRow> rows, const catalog::ReportArchitecture& architecture,
              const text::Tokenizer& tokenizer, bool quiet);
  size_t size() const { return rows_.size(); }
  const ReportRow& row(size_t index) const { return rows_[index]; }
  /// As the model meets it; with `random`, varied.
  ReportSample sample(size_t index, const FilmAugmentation& how, KeyedRandom* random) const;
  /// The prompt's tokens alone, images in their place.
  std::vector<int32_t> prompt(size_t index) const;
  /// The text that the model is to write.
  std::string answer(const ReportRow& row) const;

 private:
  std::vector<ReportRow> rows_;                 // boxes of the square
  std::vector<std::vector<at::Tensor>> films_;  // [S, S] u8 each
  const catalog::ReportArchitecture& architecture_;
  const text::Tokenizer& tokenizer_;
};

}  // namespace vesalius::tasks
