#include "tasks/existence.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace vesalius::tasks {
namespace {

[[noreturn]] void fail_entry(const std::string& where, const std::string& modality,
                             const std::string& target) {
  fail(ErrorCode::kUnsupported,
       "{}: '{}' of '{}' is not four pairs of positive numbers, [[a, b], [a, b], [a, b], [a, b]].",
       where, target, modality);
}

bool is_pair(const Json& pair) {
  return pair.is_array() && pair.size() == 2 &&
         std::all_of(pair.begin(), pair.end(),
                     [](const Json& x) { return x.is_number() && x.get<double>() > 0; });
}

std::optional<ExistenceParameters> parameters_of(const Json& value) {
  ExistenceParameters parameters;
  if (!value.is_array() || value.size() != parameters.size()) return std::nullopt;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (!is_pair(value[i])) return std::nullopt;
    parameters[i] = {value[i][0].get<double>(), value[i][1].get<double>()};
  }
  return parameters;
}

}  // namespace

ExistenceTable read_existence(const fs::path& path) {
  const Json file = read_json(path);
  if (!file.is_object())
    fail(ErrorCode::kUnsupported, "{}: is no object of modality keys.", path.string());
  ExistenceTable table;
  for (const auto& [modality, targets] : file.items()) {
    if (!targets.is_object())
      fail(ErrorCode::kUnsupported, "{}: '{}' is no object of targets.", path.string(), modality);
    for (const auto& [target, value] : targets.items()) {
      const auto parameters = parameters_of(value);
      if (!parameters) fail_entry(path.string(), modality, target);
      table[modality][target] = *parameters;
    }
  }
  return table;
}

std::string existence_json(const ExistenceTable& table) {
  Json file = Json::object();
  for (const auto& [modality, targets] : table)
    for (const auto& [target, parameters] : targets)
      for (const auto& beta : parameters) file[modality][target].push_back({beta.a, beta.b});
  return dump_json(file, 1) + "\n";
}

ExistenceTable with_targets(ExistenceTable base, const ExistenceTable& more) {
  for (const auto& [modality, targets] : more)
    for (const auto& [target, parameters] : targets) base[modality][target] = parameters;
  return base;
}

MaskFeatures mask_features(std::span<const float> probability, std::span<const uint8_t> rgb) {
  constexpr float kLevels = 255, kInside = 128;
  constexpr double kScale = 256;
  if (rgb.size() != 3 * probability.size())
    fail(ErrorCode::kFailed, "{} probabilities do not go with {} bytes of colour.",
         probability.size(), rgb.size());
  MaskFeatures sums{};
  double count = 0;
  for (size_t i = 0; i < probability.size(); ++i) {
    const float level = probability[i] * kLevels;
    if (!(level >= kInside)) continue;
    ++count;
    sums[0] += static_cast<double>(level);
    for (size_t c = 0; c < 3; ++c) sums[c + 1] += rgb[3 * i + c];
  }
  if (count > 0)
    for (double& sum : sums) sum /= count * kScale;
  return sums;
}

double existence_statistic(const MaskFeatures& features, const ExistenceParameters& parameters) {
  double product = 1;
  for (size_t i = 0; i < features.size(); ++i) {
    const auto [a, b] = parameters[i];
    // Each tail for itself: 1 - F would lose what is left of a small one, and the root magnifies
    // it.
    const double below = beta_cdf(features[i], {a, b}), above = beta_cdf(1 - features[i], {b, a});
    product *= 2 * std::min(below, above);
  }
  return std::sqrt(std::sqrt(product));
}

std::optional<double> existence_statistic(const MaskFeatures& features, const ExistenceTable& table,
                                          std::string_view modality, std::string_view target) {
  const auto targets = table.find(modality);
  if (targets == table.end()) return std::nullopt;
  const auto parameters = targets->second.find(target);
  if (parameters == targets->second.end()) return std::nullopt;
  return existence_statistic(features, parameters->second);
}

ExistenceParameters fit_existence(const std::vector<MaskFeatures>& examples) {
  ExistenceParameters parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    std::vector<double> values;
    for (const auto& features : examples) values.push_back(features[i]);
    parameters[i] = fit_beta(values);
  }
  return parameters;
}

}  // namespace vesalius::tasks
