#include "cli/evaluate_data.h"

#include <algorithm>
#include <set>

#include "cli/signals.h"
#include "tasks/manifest.h"

namespace vesalius::cli {
namespace {

/// A column's value in every row; empty when no row has the column.
std::vector<std::string> column(const std::vector<tasks::Source>& sources, const std::string& name,
                                const std::string& manifest) {
  const bool any = std::any_of(sources.begin(), sources.end(),
                               [&](const tasks::Source& s) { return s.columns.contains(name); });
  std::vector<std::string> values;
  if (!any) return values;
  for (const auto& source : sources) {
    values.push_back(tasks::column_text(source.columns, name));
    if (values.back().empty())
      fail(ErrorCode::kUnsupported, "{}: {} has no value in the column `{}`.", manifest,
           source.input, name);
  }
  return values;
}

template <class T>
std::vector<T> kept(const std::vector<T>& values, const std::vector<size_t>& indices) {
  std::vector<T> result;
  if (values.empty()) return result;
  for (const size_t i : indices) result.push_back(values[i]);
  return result;
}

}  // namespace

void add_evaluate_input(CLI::App& command, EvaluateInput& input) {
  add_input_options(command, input.input);
  command.remove_option(command.get_option("INPUT"));  // truth comes with a manifest alone
  command.add_option("--label-column", input.label_column, "Column with the truth")
      ->capture_default_str();
}

Samples read_samples(const EvaluateInput& input) {
  const std::string& manifest = input.input.request.manifest;
  if (manifest.empty())
    fail(ErrorCode::kUsage,
         "evaluate needs --manifest FILE, CSV or JSON Lines with columns `path` and `{}`.",
         input.label_column);
  if (input.input.frames == "all")
    fail(ErrorCode::kUsage, "evaluate looks at one frame a row; --frames all gives more.");
  Samples samples{.sources = gather(input.input)};
  const auto names = column(samples.sources, input.label_column, manifest);
  samples.texts = column(samples.sources, input.text_column, manifest);
  if (names.empty() && samples.texts.empty())
    fail(ErrorCode::kUnsupported,
         "{}: has no column `{}`. Name the one with the truth: --label-column.", manifest,
         input.label_column);
  const std::set<std::string> distinct(names.begin(), names.end());
  if (!names.empty()) relabel(samples, {distinct.begin(), distinct.end()}, input);
  return samples;
}

void relabel(Samples& samples, const std::vector<std::string>& labels, const EvaluateInput& input) {
  samples.labels = labels;
  samples.truth.clear();
  for (const auto& name :
       column(samples.sources, input.label_column, input.input.request.manifest)) {
    const auto found = std::find(labels.begin(), labels.end(), name);
    if (found == labels.end())
      fail(ErrorCode::kUsage,
           "{}: the label '{}' of the column `{}` is none of those given. Labels must be written "
           "as in the "
           "manifest; put the words around them into --template.",
           input.input.request.manifest, name, input.label_column);
    samples.truth.push_back(static_cast<int>(found - labels.begin()));
  }
  if (samples.truth.empty())
    fail(ErrorCode::kUnsupported,
         "{}: has no column `{}`. Name the one with the truth: --label-column.",
         input.input.request.manifest, input.label_column);
}

tasks::Tally embed_samples(Session& session, const ModelRun& run, const EvaluateInput& input,
                           Samples& samples) {
  tasks::Tally tally;
  std::vector<size_t> indices;
  std::vector<at::Tensor> rows;
  size_t at = 0;
  Watch watch(session, "Embedding", samples.sources.size());
  tasks::embed_sources(*run.model, run.recipe, samples.sources, pipeline_options(input.input),
                       [&](tasks::Embedded&& embedded) {
                         tally.add(embedded);
                         watch.saw(embedded);
                         if (embedded.features.defined()) {
                           rows.push_back(embedded.features.clone());
                           indices.push_back(at);
                         }
                         ++at;
                       });
  if (rows.empty() && !stop_requested())
    fail(tally.first, "none of the manifest's images could be read.");
  samples.sources = kept(samples.sources, indices);
  samples.truth = kept(samples.truth, indices);
  samples.texts = kept(samples.texts, indices);
  samples.features = rows.empty() ? at::empty({0, run.model->dimension()}) : at::stack(rows);
  return tally;
}

std::vector<double> scores_in_order(const std::vector<tasks::GroupScores>& scores,
                                    const std::vector<std::string>& labels) {
  std::vector<double> ordered(labels.size());
  for (const auto& score : scores.at(0).scores) {
    const auto at = std::find(labels.begin(), labels.end(), score.label) - labels.begin();
    ordered[static_cast<size_t>(at)] = score.score;
  }
  return ordered;
}

}  // namespace vesalius::cli
