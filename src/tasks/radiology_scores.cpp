#include "tasks/radiology_scores.h"

#include <array>

#include "tasks/box_metrics.h"

namespace vesalius::tasks {
namespace {

constexpr double kCovered = 0.5;

bool spatially_entailed(const JudgedSentence& sentence) {
  if (!sentence.entailed || sentence.boxes.empty() || sentence.evidence.empty()) return false;
  return compare_boxes(sentence.boxes, sentence.evidence).precision.value_or(0) > kCovered;
}

std::optional<double> share(int part, int whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / whole;
}

/// One of RadCliQ's four, as its regression takes it.
struct Feature {
  double mean, scale, weight;
};
using Regression = std::array<Feature, 4>;

double weighed(const Regression& features, const RadCliqInput& in) {
  const std::array<double, 4> values{in.radgraph, in.bertscore, in.chexbert, in.bleu_2};
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i)
    sum += features[i].weight * (values[i] - features[i].mean) / features[i].scale;
  return sum;
}

}  // namespace

RadFactShares radfact_shares(const std::vector<JudgedSentence>& sentences) {
  int entailed = 0, boxed = 0, both = 0, spatial = 0;
  for (const auto& sentence : sentences) {
    entailed += sentence.entailed ? 1 : 0;
    boxed += sentence.boxes.empty() ? 0 : 1;
    both += sentence.entailed && !sentence.boxes.empty() ? 1 : 0;
    spatial += spatially_entailed(sentence) ? 1 : 0;
  }
  return {share(entailed, static_cast<int>(sentences.size())), share(spatial, boxed),
          share(spatial, both)};
}

double f1_of(double precision, double recall) {
  return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

double radcliq_v0(const RadCliqInput& input) {
  constexpr double kIntercept = 1.641667;
  constexpr Regression kFeatures{{{0.53984, 0.30183, -0.47963},
                                  {0.63125, 0.22467, -0.67622},
                                  {0.77168, 0.24750, -0.46367},
                                  {0.46074, 0.30337, 0.21659}}};
  return kIntercept + weighed(kFeatures, input);
}

double radcliq_v1(const RadCliqInput& input) {
  constexpr Regression kFeatures{{{0.53792, 0.30283, -0.37708},
                                  {0.61757, 0.22431, -0.37030},
                                  {0.76479, 0.25394, -0.25262},
                                  {0.44738, 0.29893, 0}}};
  return weighed(kFeatures, input);
}

}  // namespace vesalius::tasks
