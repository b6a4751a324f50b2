// BiomedParse v1's test of whether a mask shows what was asked for.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "tasks/beta_distribution.h"

namespace vesalius::tasks {

/// Of what lies in a mask: mean probability, mean red, green and blue; each on the scale of 0..255
/// and divided by 256.
using MaskFeatures = std::array<double, 4>;
using ExistenceParameters = std::array<BetaParameters, 4>;  // of the features, in that order

/// By modality key ("CT-Abdomen") and target ("liver").
using ExistenceTable =
    std::map<std::string, std::map<std::string, ExistenceParameters, std::less<>>, std::less<>>;

/// Below this a target is usually taken as absent (Zhao et al., Nature Methods 2025).
inline constexpr double kExistenceCut = 0.05;

/// The published parameters: 14 modality keys, 64 targets, to six digits (microsoft/BiomedParse,
/// target_dist.json).
const ExistenceTable& published_existence();

/// A file in the form of target_dist.json: {"CT-Abdomen": {"liver": [[a, b] x 4]}}. Error
/// kUnsupported for another form, naming the entry at fault.
ExistenceTable read_existence(const fs::path& path);
std::string existence_json(const ExistenceTable& table);
/// `base` with the targets of `more`, which go before its own.
ExistenceTable with_targets(ExistenceTable base, const ExistenceTable& more);

/// Features of the pixels with probability * 255 >= 128, which is more than 0.5 (as published).
/// `rgb` has three bytes for each of `probability`. Four zeros where there is no such pixel.
MaskFeatures mask_features(std::span<const float> probability, std::span<const uint8_t> rgb);

/// How usual the features are, 0 to 1: the fourth root of the product of four two-sided
/// Kolmogorov-Smirnov p-values of one value each, 2 min(F, 1 - F).
double existence_statistic(const MaskFeatures& features, const ExistenceParameters& parameters);

/// The same with the parameters of a target; nothing where the table has none: there is no
/// statistic for it, which does not speak against the mask.
std::optional<double> existence_statistic(const MaskFeatures& features, const ExistenceTable& table,
                                          std::string_view modality, std::string_view target);

/// Parameters from the features of masks that are known to show the target. Error kUnsupported as
/// fit_beta().
ExistenceParameters fit_existence(const std::vector<MaskFeatures>& examples);

}  // namespace vesalius::tasks
