#include <algorithm>
#include <map>

#include "base/error.h"
#include "tasks/evaluate_segment.h"
#include "tasks/intervals.h"

namespace vesalius::tasks {
namespace {

using Value = std::optional<double>;

/// The figures that a case has, by their names in a report.
struct NamedFigure {
  const char* name;
  Value (*of)(const SegmentCase&);
};

Value volume(const SegmentCase& one, double ml) {
  return one.spacing_known ? Value(ml) : std::nullopt;
}

constexpr NamedFigure kFigures[] = {
    {"dice", [](const SegmentCase& c) { return c.figures.dice; }},
    {"iou", [](const SegmentCase& c) { return c.figures.iou; }},
    {"surface_dice", [](const SegmentCase& c) { return c.figures.surface_dice; }},
    {"hausdorff_95", [](const SegmentCase& c) { return c.figures.hausdorff_95; }},
    {"hausdorff", [](const SegmentCase& c) { return c.figures.hausdorff; }},
    {"mean_surface_distance", [](const SegmentCase& c) { return c.figures.mean_distance; }},
    {"instance_f1", [](const SegmentCase& c) { return c.figures.instances.f1(); }},
    {"truth_ml", [](const SegmentCase& c) { return volume(c, c.figures.truth_volume); }},
    {"predicted_ml", [](const SegmentCase& c) { return volume(c, c.figures.predicted_volume); }},
};

/// Cases by pair, so that a resampled pair brings all of its targets along.
using Pairs = std::vector<std::vector<const SegmentCase*>>;

Pairs by_pair(const std::vector<const SegmentCase*>& cases) {
  std::map<size_t, std::vector<const SegmentCase*>> groups;
  for (const auto* one : cases) groups[one->pair].push_back(one);
  Pairs pairs;
  for (auto& [number, group] : groups) pairs.push_back(std::move(group));
  return pairs;
}

/// The mean over targets of their means over the pairs at `indices`.
Value mean(const Pairs& pairs, const std::vector<size_t>& indices, const NamedFigure& figure) {
  std::map<std::string_view, std::pair<double, double>> sums;  // target -> sum, count
  for (const size_t i : indices)
    for (const auto* one : pairs[i])
      if (const Value value = figure.of(*one)) {
        auto& [sum, count] = sums[one->target];
        sum += *value, count += 1;
      }
  if (sums.empty()) return std::nullopt;
  double total = 0;
  for (const auto& [target, sum] : sums) total += sum.first / sum.second;
  return total / static_cast<double>(sums.size());
}

Json figures_json(const std::vector<const SegmentCase*>& cases, uint64_t seed) {
  const Pairs pairs = by_pair(cases);
  Json report = Json::object();
  for (const auto& figure : kFigures)
    report[figure.name] = figure_json(bootstrap(
        static_cast<int64_t>(pairs.size()),
        [&](const std::vector<size_t>& indices) { return mean(pairs, indices, figure); }, seed));
  return report;
}

Json target_json(const std::string& target, const std::vector<const SegmentCase*>& cases,
                 uint64_t seed) {
  const auto count = [&](const auto& holds) {
    return std::count_if(cases.begin(), cases.end(), holds);
  };
  Json report = {{"target", target}, {"pairs", cases.size()}};
  report["present"] = count([](const auto* c) { return c->figures.truth_voxels > 0; });
  report["missed"] = count([](const auto* c) {
    return c->figures.truth_voxels > 0 && c->figures.predicted_voxels == 0;
  });
  report["invented"] = count([](const auto* c) {
    return c->figures.truth_voxels == 0 && c->figures.predicted_voxels > 0;
  });
  report.update(figures_json(cases, seed));
  return report;
}

Json case_json(const SegmentCase& one) {
  Json report = {{"prediction", one.prediction}, {"truth", one.truth}, {"target", one.target}};
  for (const auto& figure : kFigures) {
    const Value value = figure.of(one);
    report[figure.name] = value ? Json(*value) : Json(nullptr);
  }
  report["objects"] = {{"matched", one.figures.instances.matched},
                       {"missed", one.figures.instances.missed},
                       {"invented", one.figures.instances.invented}};
  return report;
}

const char* unit_of(const std::vector<SegmentCase>& cases) {
  const auto known = std::count_if(cases.begin(), cases.end(),
                                   [](const SegmentCase& c) { return c.spacing_known; });
  if (known == 0) return "pixel";
  return known == static_cast<int64_t>(cases.size()) ? "mm" : "mixed";
}

}  // namespace

Json segment_report(const std::vector<SegmentCase>& cases, const SegmentEvaluation& evaluation,
                    uint64_t seed) {
  if (cases.empty()) fail(ErrorCode::kUsage, "there is no pair of masks with a target in it.");
  std::vector<std::string> order;
  std::map<std::string, std::vector<const SegmentCase*>> by_target;
  std::vector<const SegmentCase*> all;
  for (const auto& one : cases) {
    auto& group = by_target[one.target];
    if (group.empty()) order.push_back(one.target);
    group.push_back(&one);
    all.push_back(&one);
  }
  Json report = {{"pairs", by_pair(all).size()},
                 {"unit", unit_of(cases)},
                 {"tolerance", evaluation.metrics.tolerance},
                 {"instance_iou", evaluation.metrics.instance_iou},
                 {"targets", Json::array()}};
  for (const auto& target : order)
    report["targets"].push_back(target_json(target, by_target[target], seed));
  if (order.size() > 1) report["all_targets"] = figures_json(all, seed);
  for (const auto& one : cases) report["cases"].push_back(case_json(one));
  return report;
}

}  // namespace vesalius::tasks
