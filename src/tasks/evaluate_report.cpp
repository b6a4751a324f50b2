#include "tasks/evaluate_report.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/error.h"
#include "tasks/box_metrics.h"
#include "tasks/finding_labels.h"
#include "tasks/summed_figures.h"
#include "tasks/text_metrics.h"

namespace vesalius::tasks {
namespace {

using Sums = std::span<const double>;
using Value = std::optional<double>;
using Pairs = std::vector<ReportPair>;
/// One system's texts, in the order of the rows.
using Texts = std::vector<const ReportText*>;

/// Two columns of a table for a value that not every row has: its sum, and how many have it.
void push_value(std::vector<double>& row, Value value) {
  row.push_back(value.value_or(0));
  row.push_back(value ? 1 : 0);
}

Value mean_at(Sums sums, size_t column) {
  if (sums[column + 1] == 0) return std::nullopt;
  return sums[column] / sums[column + 1];
}

SummedFigures::Figure mean_figure(const std::string& name, size_t index) {
  return {name, [index](Sums sums) { return mean_at(sums, 2 * index); }};
}

SummedFigures bleu_table(const Pairs& pairs, const Texts& texts) {
  SummedFigures table;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto counts = bleu_counts(texts[i]->words, {&pairs[i].reference.words, 1});
    auto& row = table.rows.emplace_back(counts.matched.begin(), counts.matched.end());
    row.insert(row.end(), counts.written.begin(), counts.written.end());
    row.push_back(counts.length);
    row.push_back(counts.reference_length);
  }
  for (size_t n = 0; n < kLongestNgram; ++n)
    table.figures.push_back({fmt::format("bleu_{}", n + 1), [n](Sums sums) -> Value {
                               BleuCounts counts;
                               std::copy_n(sums.begin(), kLongestNgram, counts.matched.begin());
                               std::copy_n(sums.begin() + kLongestNgram, kLongestNgram,
                                           counts.written.begin());
                               counts.length = sums[2 * kLongestNgram];
                               counts.reference_length = sums[2 * kLongestNgram + 1];
                               return bleu(counts)[n];
                             }});
  return table;
}

SummedFigures likeness_table(const Pairs& pairs, const Texts& texts) {
  std::vector<std::string> words;
  std::vector<std::vector<std::string>> references;
  for (size_t i = 0; i < pairs.size(); ++i) {
    words.push_back(texts[i]->words);
    references.push_back({pairs[i].reference.words});
  }
  const auto cider = cider_d(words, references);
  SummedFigures table{.figures = {mean_figure("rouge_l", 0), mean_figure("rouge_l_stemmed", 1),
                                  mean_figure("cider_d", 2)}};
  for (size_t i = 0; i < pairs.size(); ++i) {
    auto& row = table.rows.emplace_back();
    for (const bool stemmed : {false, true})
      push_value(row, rouge_l(words[i], references[i][0], stemmed));
    push_value(row, cider[i]);
  }
  return table;
}

/// Of rows whose reference tells its boxes. A system that tells boxes of any row has none where it
/// tells none; one that never does has no figures.
SummedFigures box_table(const Pairs& pairs, const Texts& texts) {
  SummedFigures table{.figures = {mean_figure("box_iou", 0), mean_figure("box_precision", 1),
                                  mean_figure("box_recall", 2)}};
  const bool told = std::ranges::any_of(texts, [](const auto* t) { return t->boxes.has_value(); });
  for (size_t i = 0; i < pairs.size(); ++i) {
    BoxFigures figures;
    if (told && pairs[i].reference.boxes)
      figures = compare_boxes(texts[i]->boxes.value_or(std::vector<text::Box>{}),
                              *pairs[i].reference.boxes);
    auto& row = table.rows.emplace_back();
    for (const Value& value : {figures.iou, figures.precision, figures.recall})
      push_value(row, value);
  }
  return table;
}

constexpr size_t kLabelColumns = 3;  // in both, in the reference, in the candidate

double f1_of_counts(Sums sums, size_t label) {
  const double told = sums[kLabelColumns * label + 1] + sums[kLabelColumns * label + 2];
  return told == 0 ? 0 : 2 * sums[kLabelColumns * label] / told;
}

/// Of the labels at `chosen`; nothing when none of them is told anywhere.
Value label_f1(Sums sums, const std::vector<size_t>& chosen, bool micro) {
  std::array<double, kLabelColumns> total{};
  double mean = 0;
  for (const size_t label : chosen) {
    for (size_t i = 0; i < kLabelColumns; ++i) total[i] += sums[kLabelColumns * label + i];
    mean += f1_of_counts(sums, label) / static_cast<double>(chosen.size());
  }
  if (total[1] + total[2] == 0) return std::nullopt;
  return micro ? f1_of_counts(total, 0) : mean;
}

std::vector<bool> positive_labels(const std::string& report, bool uncertain) {
  std::vector<bool> positive(label_names().size());
  for (const auto& label : label_report(report)) {
    const auto at = std::ranges::find(label_names(), label.name) - label_names().begin();
    positive[static_cast<size_t>(at)] =
        label.polarity == "present" || (uncertain && label.polarity == "uncertain");
  }
  return positive;
}

/// The five that are compared in most papers.
std::vector<size_t> five_labels() {
  std::vector<size_t> chosen;
  for (size_t i = 0; i < label_names().size(); ++i)
    for (const char* name :
         {"Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion"})
      if (label_names()[i] == name) chosen.push_back(i);
  return chosen;
}

SummedFigures label_table(const Pairs& pairs, const Texts& texts, bool uncertain) {
  SummedFigures table;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto truth = positive_labels(pairs[i].reference.words, uncertain);
    const auto told = positive_labels(texts[i]->words, uncertain);
    auto& row = table.rows.emplace_back();
    for (size_t label = 0; label < truth.size(); ++label)
      for (const bool one : {truth[label] && told[label], bool(truth[label]), bool(told[label])})
        row.push_back(one ? 1 : 0);
  }
  std::vector<size_t> all(label_names().size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  for (const bool five : {false, true})
    for (const bool micro : {true, false})
      table.figures.push_back(
          {fmt::format("label_{}_f1{}", micro ? "micro" : "macro", five ? "_5" : ""),
           [chosen = five ? five_labels() : all, micro](Sums sums) {
             return label_f1(sums, chosen, micro);
           }});
  return table;
}

SummedFigures radfact_table(const Texts& texts) {
  SummedFigures table;
  for (const auto* text : texts) {
    RadFactShares precision, recall;
    if (text->judged) precision = radfact_shares(*text->judged);
    if (text->reference_judged) recall = radfact_shares(*text->reference_judged);
    auto& row = table.rows.emplace_back();
    for (const auto share :
         {&RadFactShares::logical, &RadFactShares::spatial, &RadFactShares::grounding}) {
      push_value(row, precision.*share);
      push_value(row, recall.*share);
    }
  }
  size_t index = 0;
  for (const char* name : {"logical", "spatial", "grounding"}) {
    table.figures.push_back(mean_figure(fmt::format("radfact_{}_precision", name), index));
    table.figures.push_back(mean_figure(fmt::format("radfact_{}_recall", name), index + 1));
    table.figures.push_back({fmt::format("radfact_{}_f1", name), [index](Sums sums) -> Value {
                               const Value p = mean_at(sums, 2 * index);
                               const Value r = mean_at(sums, 2 * index + 2);
                               return p && r ? Value(f1_of(*p, *r)) : std::nullopt;
                             }});
    index += 2;
  }
  return table;
}

SummedFigures radcliq_table(const Texts& texts) {
  SummedFigures table{.figures = {mean_figure("radcliq_v0", 0), mean_figure("radcliq_v1", 1)}};
  for (const auto* text : texts) {
    auto& row = table.rows.emplace_back();
    push_value(row, text->radcliq ? Value(radcliq_v0(*text->radcliq)) : std::nullopt);
    push_value(row, text->radcliq ? Value(radcliq_v1(*text->radcliq)) : std::nullopt);
  }
  return table;
}

constexpr size_t kLabelTable = 2;  // of tables_of

/// The figures of one system's texts; which tables there are goes by the candidates and references.
std::vector<SummedFigures> tables_of(const Pairs& pairs, const Texts& texts,
                                     const ReportEvaluation& evaluation) {
  const auto any = [&](const auto& has) { return std::ranges::any_of(pairs, has); };
  std::vector<SummedFigures> tables{bleu_table(pairs, texts), likeness_table(pairs, texts),
                                    label_table(pairs, texts, evaluation.uncertain_is_positive)};
  if (any([](const auto& pair) { return pair.reference.boxes.has_value(); }))
    tables.push_back(box_table(pairs, texts));
  if (any([](const auto& pair) { return pair.candidate.judged.has_value(); }))
    tables.push_back(radfact_table(texts));
  if (any([](const auto& pair) { return pair.candidate.radcliq.has_value(); }))
    tables.push_back(radcliq_table(texts));
  return tables;
}

void add_figures(Json& report, const std::vector<SummedFigures>& tables, uint64_t seed) {
  for (const auto& table : tables)
    for (const auto& figure : table.figures)
      report[figure.name] = figure_json(figure_of(table, figure, seed));
}

Json labels_json(const SummedFigures& table) {
  Json labels = Json::array();
  std::vector<double> sums(table.rows[0].size());
  for (const auto& row : table.rows)
    for (size_t i = 0; i < row.size(); ++i) sums[i] += row[i];
  for (size_t label = 0; label < label_names().size(); ++label) {
    const Value figure = label_f1(sums, {label}, true);
    labels.push_back({{"label", label_names()[label]},
                      {"reference", static_cast<int64_t>(sums[kLabelColumns * label + 1])},
                      {"candidate", static_cast<int64_t>(sums[kLabelColumns * label + 2])},
                      {"f1", figure ? Json(*figure) : Json(nullptr)}});
  }
  return labels;
}

Json comparison_json(const std::vector<SummedFigures>& ours,
                     const std::vector<SummedFigures>& theirs, uint64_t seed) {
  Json report = Json::object();
  for (size_t t = 0; t < theirs.size(); ++t) {
    const auto differences = paired_differences(ours[t], theirs[t], seed);
    for (size_t f = 0; f < theirs[t].figures.size(); ++f) {
      const auto& figure = theirs[t].figures[f];
      Json one = figure_json(figure_of(theirs[t], figure, seed));
      if (differences[f]) {
        one["difference"] = differences[f]->value;
        one["p_value"] = differences[f]->p;
      }
      report[figure.name] = std::move(one);
    }
  }
  return report;
}

}  // namespace

Json report_figures(const Pairs& pairs, const ReportEvaluation& evaluation, uint64_t seed) {
  if (pairs.empty()) fail(ErrorCode::kUsage, "there are no reports to compare.");
  Texts candidates, others;
  int64_t empty = 0;
  for (const auto& pair : pairs) {
    candidates.push_back(&pair.candidate);
    if (pair.other) others.push_back(&*pair.other);
    empty += trimmed(pair.candidate.words).empty() ? 1 : 0;
  }
  Json report = {{"rows", pairs.size()},
                 {"empty_candidates", empty},
                 {"uncertain", evaluation.uncertain_is_positive ? "positive" : "negative"}};
  const auto tables = tables_of(pairs, candidates, evaluation);
  add_figures(report, tables, seed);
  report["labels"] = labels_json(tables[kLabelTable]);
  if (!others.empty())
    report["other"] = comparison_json(tables, tables_of(pairs, others, evaluation), seed);
  return report;
}

}  // namespace vesalius::tasks
