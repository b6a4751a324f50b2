// A JSON object a line, one of
//   {"words": […]}                     -> their stems
//   {"candidates": […], "references": [[…]…]}
//                                      -> {"bleu", "bleu_each", "rouge_l", "rouge_l_stemmed",
//                                          "cider_d"}, ROUGE-L against the first reference
//   {"predicted": [box…], "truth": […]} -> [IoU, precision, recall]
//   {"judged": [{"entailed", "boxes", "evidence"}…]} -> [logical, spatial, grounding]
#include <iostream>

#include "base/json.h"
#include "tasks/box_metrics.h"
#include "tasks/porter_stemmer.h"
#include "tasks/radiology_scores.h"
#include "tasks/text_metrics.h"

using namespace vesalius;

namespace {

using Strings = std::vector<std::string>;

std::vector<text::Box> boxes(const Json& list) {
  std::vector<text::Box> out;
  for (const auto& b : list) out.push_back({b[0], b[1], b[2], b[3]});
  return out;
}

Json value(std::optional<double> number) { return number ? Json(*number) : Json(nullptr); }

Json stems(const Json& words) {
  Json out = Json::array();
  for (const auto& word : words) out.push_back(tasks::porter_stem(word.get<std::string>()));
  return out;
}

void add(tasks::BleuCounts& sum, const tasks::BleuCounts& one) {
  for (size_t n = 0; n < tasks::kLongestNgram; ++n) {
    sum.matched[n] += one.matched[n];
    sum.written[n] += one.written[n];
  }
  sum.length += one.length;
  sum.reference_length += one.reference_length;
}

Json text_figures(const Strings& candidates, const std::vector<Strings>& references) {
  Json out;
  tasks::BleuCounts sum;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const auto counts = tasks::bleu_counts(candidates[i], references[i]);
    add(sum, counts);
    out["bleu_each"].push_back(tasks::bleu(counts));
    for (const bool stemmed : {false, true})
      out[stemmed ? "rouge_l_stemmed" : "rouge_l"].push_back(
          tasks::rouge_l(candidates[i], references[i].at(0), stemmed));
  }
  out["bleu"] = tasks::bleu(sum);
  out["cider_d"] = tasks::cider_d(candidates, references);
  return out;
}

Json answer(const Json& line) {
  if (line.contains("words")) return stems(line["words"]);
  if (line.contains("predicted")) {
    const auto f = tasks::compare_boxes(boxes(line["predicted"]), boxes(line["truth"]));
    return {value(f.iou), value(f.precision), value(f.recall)};
  }
  if (line.contains("judged")) {
    std::vector<tasks::JudgedSentence> judged;
    for (const auto& one : line["judged"])
      judged.push_back({one["entailed"], boxes(one["boxes"]), boxes(one["evidence"])});
    const auto s = tasks::radfact_shares(judged);
    return {value(s.logical), value(s.spatial), value(s.grounding)};
  }
  return text_figures(line["candidates"], line["references"]);
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);)
    std::cout << dump_json(answer(parse_json(line, "line"))) << "\n";
}
