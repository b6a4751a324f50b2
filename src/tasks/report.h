// A chest film, its prior and what the clinician wrote → findings as sentences with their boxes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "media/dicom.h"
#include "media/image.h"
#include "text/grounded_text.h"
#include "text/report_prompt.h"

namespace vesalius::tasks {

/// One film of a study.
struct Film {
  std::string path;
  media::Image shown;  // upright, as a viewer shows it, RGB, in its own size
  std::optional<media::DicomInfo> dicom;
};

/// What a rule says that a sentence is about; the model itself gives no codes.
struct FindingLabel {
  std::string name;      // one of label_names(): "Pleural Effusion"
  std::string polarity;  // "present", "absent", "uncertain"
};

/// How likely the model held the coordinates that it chose: x0, y0, x1, y1. Nothing where a box was
/// not written in coordinate tokens, or where these were garbled.
using BoxProbabilities = std::optional<std::array<double, 4>>;

struct ReportSentence {
  std::string text;
  std::vector<text::Box> boxes;                     // of the whole film, 0 to 1
  std::vector<text::Box> square_boxes;              // of the centre square, as the model gave them
  std::vector<BoxProbabilities> box_probabilities;  // of each box
  std::vector<FindingLabel> labels;
  size_t first_token = 0, token_count = 0;     // of output_ids
  std::optional<double> mean_log_probability;  // of its tokens
  std::optional<double> box_sharpness;         // mean of box_probabilities, 0 to 1
  std::optional<double> agreement;             // share of samples that say it too
  std::optional<double> similarity;            // cosine of film and sentence, MedImageInsight
  std::vector<std::string> marks;              // why a human should look twice; empty: nothing
};

struct Report {
  text::ReportTask task = text::ReportTask::kGroundedFindings;
  Film frontal;
  std::optional<Film> lateral, prior;
  text::ReportContext context;
  std::string prompt, raw_text;
  std::vector<int32_t> prompt_ids, output_ids;
  std::vector<float> output_log_probabilities;  // of output_ids
  std::vector<ReportSentence> sentences;
  std::vector<text::Repair> repairs;
  std::vector<std::string> warnings;  // of the whole report
  bool complete = true;               // false: the limit of tokens, or the user, stopped it
};

}  // namespace vesalius::tasks
