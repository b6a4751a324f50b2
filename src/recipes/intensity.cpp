#include "recipes/intensity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace vesalius::recipes {

namespace {

struct NamedWindow {
  std::string_view name;
  Bounds bounds;
};

constexpr std::array kWindows{
    NamedWindow{"ct-abdomen", {-150, 250}},  NamedWindow{"ct-lung", {-1000, 1000}},
    NamedWindow{"ct-chest", {-1000, 1000}},  NamedWindow{"ct-pelvis", {-55, 200}},
    NamedWindow{"ct-liver", {-25, 230}},     NamedWindow{"ct-colon", {-68, 187}},
    NamedWindow{"ct-pancreas", {-100, 200}}, NamedWindow{"cvpr-soft-tissue", {-160, 240}},
    NamedWindow{"cvpr-lung", {-910, 590}},   NamedWindow{"cvpr-brain", {0, 80}},
    NamedWindow{"cvpr-bone", {-500, 1300}},
};

constexpr std::string_view kPercentile = "percentile", kPositive = "percentile-positive",
                           kUntouched = "untouched";

// Parts of what DICOM and people call a body part, and the window for each practice.
struct BodyPart {
  std::string_view part, slices, volumes;
};
constexpr std::array kBodyParts{
    BodyPart{"ABD", "ct-abdomen", "cvpr-soft-tissue"},  // first: CHESTABDPELVIS shows organs
    BodyPart{"CHEST", "ct-chest", "cvpr-lung"},
    BodyPart{"THORAX", "ct-chest", "cvpr-lung"},
    BodyPart{"LUNG", "ct-lung", "cvpr-lung"},
    BodyPart{"LIVER", "ct-liver", "cvpr-soft-tissue"},
    BodyPart{"COLON", "ct-colon", "cvpr-soft-tissue"},
    BodyPart{"PANCREAS", "ct-pancreas", "cvpr-soft-tissue"},
    BodyPart{"PELVIS", "ct-pelvis", "cvpr-soft-tissue"},
    BodyPart{"HEAD", "cvpr-brain", "cvpr-brain"},
    BodyPart{"BRAIN", "cvpr-brain", "cvpr-brain"},
    BodyPart{"SKULL", "cvpr-bone", "cvpr-bone"},
};

std::string capitals(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<Bounds> center_and_width(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto center = number_of(text.substr(0, slash)), width = number_of(text.substr(slash + 1));
  if (!center || !width || !(*width > 0)) return std::nullopt;
  return Bounds{*center - *width / 2, *center + *width / 2};
}

std::string all_names() {
  std::string list;
  for (const std::string& name : intensity_names()) list += name + ", ";
  return list + "or CENTER/WIDTH";
}

// std::clamp asks for low <= high, which a value without width may miss.
double clipped(double value, const Bounds& bounds) {
  return std::min(std::max(value, bounds.low), bounds.high);
}

}  // namespace

std::vector<std::string> intensity_names() {
  std::vector<std::string> names;
  for (const NamedWindow& window : kWindows) names.emplace_back(window.name);
  for (const std::string_view name : {kPercentile, kPositive, kUntouched}) names.emplace_back(name);
  return names;
}

Intensity make_intensity(const std::string& name) {
  Intensity made{.name = name};
  const auto window = std::ranges::find(kWindows, name, &NamedWindow::name);
  if (window != kWindows.end()) made.window = window->bounds;
  if (name == kUntouched) made.untouched = true;
  if (name == kPositive) made.over = Over::kPositive;
  if (made.window || made.untouched || name == kPositive || name == kPercentile) return made;
  made.window = center_and_width(name);
  if (!made.window)
    fail(ErrorCode::kUsage, "there is no intensity '{}'; choose one of {}", name, all_names());
  return made;
}

std::string choose_intensity(const IntensityFacts& facts, Practice practice) {
  const bool slices = practice == Practice::kSlices;
  if (facts.eight_bit) return std::string(kUntouched);
  if (capitals(facts.modality) != "CT") return std::string(slices ? kPositive : kPercentile);
  const std::string body_part = capitals(facts.body_part);
  const auto found = std::ranges::find_if(kBodyParts, [&](const BodyPart& known) {
    return body_part.find(known.part) != std::string::npos;
  });
  if (found == kBodyParts.end()) return slices ? "ct-abdomen" : "cvpr-soft-tissue";
  return std::string(slices ? found->slices : found->volumes);
}

Bounds bounds_of(const Intensity& intensity, std::span<const float> values) {
  if (intensity.untouched) return {0, 255};
  if (intensity.window) return *intensity.window;
  const std::vector<double> cuts =
      percentiles(values, {intensity.low_percent, intensity.high_percent}, intensity.over);
  return cuts.empty() ? Bounds{} : Bounds{cuts[0], cuts[1]};
}

std::vector<uint8_t> to_bytes(std::span<const float> values, const Bounds& bounds) {
  std::vector<uint8_t> out(values.size(), 0);
  const double width = bounds.high - bounds.low;
  if (!(width > 0)) return out;
  std::ranges::transform(values, out.begin(), [&](float value) {
    return static_cast<uint8_t>((clipped(value, bounds) - bounds.low) / width * 255.0);
  });
  return out;
}

std::vector<double> stretched(const Intensity& intensity, std::span<const float> slice) {
  const Bounds bounds = bounds_of(intensity, slice);
  std::vector<double> out(slice.size());
  std::ranges::transform(slice, out.begin(), [&](float value) { return clipped(value, bounds); });
  if (intensity.untouched || out.empty()) return out;
  const auto [least, greatest] = std::ranges::minmax(out);
  const double low = least, range = greatest - least;
  for (double& value : out) value = range > 0 ? (value - low) / range * 255.0 : 0.0;
  return out;
}

}  // namespace vesalius::recipes
