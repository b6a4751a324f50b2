#include "catalog/golden.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace vesalius::catalog {
namespace {

constexpr int64_t kSamples = 64;  // of each vector
constexpr size_t kShownText = 32;

/// Largest difference of samples and length, in units of the stored vector's largest value;
/// infinite for vectors that cannot be compared, such as those with a NaN.
double difference(const Json& now, const Json& stored) {
  const auto a = now.at("values").get<std::vector<double>>();
  const auto b = stored.at("values").get<std::vector<double>>();
  if (a.size() != b.size() || a.empty()) return INFINITY;
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(a[i] - b[i]);
    worst = std::isfinite(d) ? std::max(worst, d) : INFINITY;
  }
  worst /= stored.at("largest").get<double>();
  const double length = stored.at("length").get<double>();
  const double longer = std::abs(now.at("length").get<double>() - length) / length;
  return std::isfinite(longer) ? std::max(worst, longer) : INFINITY;
}

Json numbers_or_null(const Json& value) { return value.is_number() ? value : Json(INFINITY); }

/// JSON has no NaN or infinity: both were written as null.
Json restored(Json outline) {
  for (const char* key : {"largest", "length"}) outline[key] = numbers_or_null(outline.at(key));
  for (Json& value : outline.at("values")) value = numbers_or_null(value);
  return outline;
}

}  // namespace

Json outline(const at::Tensor& vector) {
  const int64_t step = std::max<int64_t>(1, vector.numel() / kSamples);
  const auto samples = vector.slice(0, 0, vector.numel(), step).contiguous();
  return {{"largest", vector.abs().max().item<double>()},
          {"length", vector.to(at::kDouble).norm().item<double>()},
          {"every", step},
          {"values", std::vector<float>(samples.const_data_ptr<float>(),
                                        samples.const_data_ptr<float>() + samples.numel())}};
}

Check compare_outlines(std::string what, const Json& now, const Json& stored, double limit) {
  Check check{.what = std::move(what), .limit = limit};
  check.difference = difference(now, restored(stored));
  check.passed = check.difference <= limit;
  return check;
}

std::string label_of(const char* kind, const std::string& text) {
  return fmt::format("{} '{}{}'", kind, text.substr(0, kShownText),
                     text.size() > kShownText ? "…" : "");
}

const Json* row_like(const Json& rows, const char* key, const Json& like) {
  const auto same =
      std::ranges::find_if(rows, [&](const Json& row) { return row.at(key) == like.at(key); });
  return same == rows.end() ? nullptr : &*same;
}

bool all_finite(const Json& outputs) {
  if (outputs.is_number_float()) return std::isfinite(outputs.get<double>());
  return !outputs.is_structured() || std::ranges::all_of(outputs, all_finite);
}

recipes::Prepared golden_pixels(int size) {
  recipes::Prepared pixels{.size = size};
  pixels.rgb.reserve(static_cast<size_t>(size) * static_cast<size_t>(size) * 3);
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x)
      for (int c = 0; c < 3; ++c)
        pixels.rgb.push_back(static_cast<uint8_t>((x * (c + 1) + y * (3 - c)) / 2 + (x ^ y)));
  return pixels;
}

}  // namespace vesalius::catalog
