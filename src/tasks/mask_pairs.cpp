#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "media/walk.h"
#include "tasks/evaluate_segment.h"
#include "tasks/manifest.h"
#include "tasks/mask_files.h"

namespace vesalius::tasks {
namespace {

/// The masks in a folder, by their way from it, in order.
std::vector<std::string> masks_in(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    fail(ErrorCode::kUsage, "{}: is no folder. Name a folder of predictions and one of truth.",
         folder.string());
  std::vector<std::string> names;
  for (const auto& found : media::walk_folder(folder)) {
    if (!found.problem.empty())
      fail(ErrorCode::kUnsupported, "{}: cannot be read ({}). Check its permissions.",
           found.path.string(), found.problem);
    if (may_be_mask(found.path))
      names.push_back(found.path.lexically_relative(folder).generic_string());
  }
  if (names.empty())
    fail(ErrorCode::kUnsupported, "{}: holds no masks (PNG, TIFF, NIfTI, .npz).", folder.string());
  return names;
}

std::string needed(const Json& row, const char* column, const fs::path& manifest, size_t number) {
  const std::string value = column_text(row, column);
  if (value.empty())
    fail(ErrorCode::kUnsupported, "{}: row {} has no value in the column `{}`.", manifest.string(),
         number, column);
  return value;
}

/// The whole of `text` as a number.
template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Parts between any of `separators`, without empty ones.
std::vector<std::string_view> split(std::string_view text, const char* separators) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(separators), text.size());
    if (const auto part = trimmed(text.substr(0, end)); !part.empty()) parts.push_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

PairedFolders pair_folders(const fs::path& predictions, const fs::path& truths) {
  const auto predicted = masks_in(predictions), wanted = masks_in(truths);
  const std::set<std::string> there(predicted.begin(), predicted.end());
  PairedFolders result;
  std::vector<std::string> missing;
  for (const auto& name : wanted) {
    if (!there.contains(name)) missing.push_back(name);
    result.pairs.push_back({(predictions / name).string(), (truths / name).string(), "", {}});
  }
  if (!missing.empty())
    fail(ErrorCode::kUnsupported,
         "{}: has no file for {} of the {} in {}, the first of which is {}. Give a mask for each, "
         "an empty one where nothing was found.",
         predictions.string(), missing.size(), wanted.size(), truths.string(), missing[0]);
  result.without_truth = static_cast<int64_t>(predicted.size() - wanted.size());
  return result;
}

std::vector<MaskPair> read_mask_pairs(const fs::path& manifest) {
  std::vector<MaskPair> pairs;
  for (const auto& row : read_manifest(manifest)) {
    const size_t number = pairs.size() + 1;
    MaskPair pair{found_beside(manifest, needed(row, "prediction", manifest, number)),
                  found_beside(manifest, needed(row, "truth", manifest, number)),
                  column_text(row, "target"),
                  {}};
    if (const auto spacing = column_text(row, "spacing"); !spacing.empty())
      pair.spacing = parse_spacing(spacing);
    pairs.push_back(std::move(pair));
  }
  if (pairs.empty())
    fail(ErrorCode::kUnsupported, "{}: has no rows with `prediction` and `truth`.",
         manifest.string());
  return pairs;
}

media::Vector3 parse_spacing(std::string_view text) {
  const auto parts = split(text, " ,;x");
  media::Vector3 spacing{1, 1, 1};
  bool good = !parts.empty() && parts.size() <= 3;
  for (size_t i = 0; good && i < parts.size(); ++i) {
    const auto value = number_of<double>(parts[i]);
    good = value && *value > 0 && std::isfinite(*value);
    if (good) spacing[i] = *value;
  }
  if (!good)
    fail(ErrorCode::kUsage,
         "'{}' is no spacing. Write that of columns, rows and slices in mm: 0.7x0.7x3.", text);
  if (parts.size() == 1) spacing[1] = spacing[2] = spacing[0];
  return spacing;
}

std::vector<TargetLabel> parse_target_labels(std::string_view list) {
  std::vector<TargetLabel> labels;
  std::set<uint16_t> seen;
  for (const auto part : split(list, ",")) {
    const size_t sign = std::min(part.find('='), part.size());
    const auto label = number_of<uint16_t>(trimmed(part.substr(0, sign)));
    const auto name = sign == part.size() ? "" : trimmed(part.substr(sign + 1));
    if (!label || *label == 0 || name.empty() || !seen.insert(*label).second)
      fail(ErrorCode::kUsage,
           "'{}' does not give a label a name. Write them once each, 1 to 65535: 1=liver,2=spleen.",
           part);
    labels.push_back({*label, std::string(name)});
  }
  if (labels.empty()) fail(ErrorCode::kUsage, "no labels. Write 1=liver,2=spleen.");
  return labels;
}

}  // namespace vesalius::tasks
