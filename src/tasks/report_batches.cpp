#include "tasks/report_batches.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/parallel.h"
#include "base/progress.h"
#include "recipes/film.h"
#include "tasks/films.h"

namespace vesalius::tasks {
namespace {

constexpr double kLeastLeft = 0.3;  // of a box's area, or it is left out

/// out(x, y) is read at A (x, y) + b, in the units of grid_sampler: -1 to 1 over the side.
struct FilmMap {
  double a[2][2] = {{1, 0}, {0, 1}};
  double b[2] = {0, 0};
};

FilmMap draw_map(const FilmAugmentation& how, KeyedRandom& random) {
  const double angle = random.uniform(-how.turn, how.turn) * std::numbers::pi / 180;
  const double scale = std::exp(random.uniform(-how.scale, how.scale));
  const double c = std::cos(angle) / scale, s = std::sin(angle) / scale;
  return {{{c, -s}, {s, c}},
          {2 * random.uniform(-how.shift, how.shift), 2 * random.uniform(-how.shift, how.shift)}};
}

at::Tensor moved(const at::Tensor& pixels, const FilmMap& m) {
  const auto map =
      at::tensor({m.a[0][0], m.a[0][1], m.b[0], m.a[1][0], m.a[1][1], m.b[1]}, at::kFloat);
  const auto grid = at::affine_grid_generator(
      map.view({1, 2, 3}), {1, 1, pixels.size(0), pixels.size(1)}, /*align_corners=*/false);
  return at::grid_sampler(pixels.view({1, 1, pixels.size(0), pixels.size(1)}), grid,
                          /*bilinear*/ 0, /*zeros*/ 0, /*align_corners=*/false)
      .view(pixels.sizes());
}

/// The box around a moved box, cut at the edge; nothing if most of it is gone.
std::optional<text::Box> moved(const text::Box& box, const FilmMap& m) {
  const double det = m.a[0][0] * m.a[1][1] - m.a[0][1] * m.a[1][0];
  text::Box to{1, 1, 0, 0};
  for (const double x : {box.x0, box.x1})
    for (const double y : {box.y0, box.y1}) {
      const double u = 2 * x - 1 - m.b[0], v = 2 * y - 1 - m.b[1];
      const double p = (m.a[1][1] * u - m.a[0][1] * v) / det / 2 + 0.5;
      const double q = (m.a[0][0] * v - m.a[1][0] * u) / det / 2 + 0.5;
      to = {std::min(to.x0, p), std::min(to.y0, q), std::max(to.x1, p), std::max(to.y1, q)};
    }
  const double whole = (to.x1 - to.x0) * (to.y1 - to.y0);
  const auto cut = [](double value) { return std::clamp(value, 0.0, 1.0); };
  const text::Box left{cut(to.x0), cut(to.y0), cut(to.x1), cut(to.y1)};
  const double area = (left.x1 - left.x0) * (left.y1 - left.y0);
  return area > kLeastLeft * whole ? std::optional(left) : std::nullopt;
}

at::Tensor toned(const at::Tensor& pixels, double tone, KeyedRandom& random) {
  const double gamma = std::exp(random.uniform(-tone, tone));
  const double contrast = std::exp(random.uniform(-tone, tone));
  const double brightness = random.uniform(-tone, tone) * 64;
  const auto y = at::pow(pixels.clamp(0, 255) / 255, gamma) * 255;
  return ((y - 128) * contrast + 128 + brightness).clamp(0, 255);
}

/// [S, S], 0 to 255 -> [3, S, S]
at::Tensor normalised(const at::Tensor& pixels, const recipes::ModelInput& input) {
  std::vector<at::Tensor> channels;
  for (int c = 0; c < 3; ++c) channels.push_back((pixels / 255 - input.mean[c]) / input.std[c]);
  return at::stack(channels);
}

at::Tensor read_square(const std::string& path, const catalog::ReportArchitecture& a,
                       Film* frontal) {
  const auto recipe = recipes::make_recipe("maira-2");
  auto film = read_film(path, recipe, a.input);
  if (frontal != nullptr) *frontal = film.film;
  const auto grey = film.pixels[0] * a.input.std[0] + a.input.mean[0];
  return (grey * 255).round().clamp(0, 255).to(at::kByte).contiguous();
}

std::vector<std::string> files_of(const ReportRow& row) {
  std::vector<std::string> files;
  for (const std::string* file : {&row.frontal, &row.lateral, &row.prior})
    if (!file->empty()) files.push_back(*file);
  return files;
}

/// What of a box the model sees, as a box of the square.
void to_square(std::vector<text::Box>& boxes, const Film& film) {
  std::vector<text::Box> seen;
  for (const text::Box& box : boxes) {
    auto square = text::box_of_square(box, film.shown.width, film.shown.height);
    const auto cut = [](double value) { return std::clamp(value, 0.0, 1.0); };
    square = {cut(square.x0), cut(square.y0), cut(square.x1), cut(square.y1)};
    if (square.x1 > square.x0 && square.y1 > square.y0) seen.push_back(square);
  }
  boxes = std::move(seen);
}

}  // namespace

ReportStore::ReportStore(std::vector<ReportRow> rows, const catalog::ReportArchitecture& a,
                         const text::Tokenizer& tokenizer, bool quiet)
    : rows_(std::move(rows)), films_(rows_.size()), architecture_(a), tokenizer_(tokenizer) {
  Progress progress("Reading films", static_cast<int64_t>(rows_.size()), quiet);
  parallel_for(static_cast<int64_t>(rows_.size()), [&](int64_t i) {
    auto& row = rows_[static_cast<size_t>(i)];
    Film frontal;
    for (const std::string& file : files_of(row)) {
      auto& films = films_[static_cast<size_t>(i)];
      films.push_back(read_square(file, a, films.empty() ? &frontal : nullptr));
    }
    if (!row.frontal.empty())
      for (auto& sentence : row.sentences) to_square(sentence.boxes, frontal);
    progress.advance();
  });
}

std::vector<int32_t> ReportStore::prompt(size_t index) const {
  const auto& row = rows_[index];
  if (row.frontal.empty()) return tokenizer_.encode("");
  const auto asked = text::report_prompt(row.task(), row.context, architecture_.wording);
  std::vector<int32_t> ids;
  for (const int32_t id : tokenizer_.encode(asked.text, {.plain = asked.users}))
    ids.insert(ids.end(),
               id == architecture_.model.image_token ? architecture_.model.image_tokens() : 1, id);
  return ids;
}

std::string ReportStore::answer(const ReportRow& row) const {
  return row.grounded ? text::write_grounded(row.sentences, architecture_.grounding) : row.findings;
}

ReportSample ReportStore::sample(size_t index, const FilmAugmentation& how,
                                 KeyedRandom* random) const {
  ReportRow row = rows_[index];
  std::vector<at::Tensor> images;
  for (const at::Tensor& film : films_[index]) {
    auto pixels = film.to(at::kFloat);
    if (random != nullptr && how.on) {
      const auto map = draw_map(how, *random);
      pixels = toned(moved(pixels, map), how.tone, *random);
      if (images.empty())
        for (auto& sentence : row.sentences) {
          std::vector<text::Box> boxes;
          for (const auto& box : sentence.boxes)
            if (const auto to = moved(box, map)) boxes.push_back(*to);
          sentence.boxes = std::move(boxes);
        }
    }
    images.push_back(normalised(pixels, architecture_.input));
  }
  ReportSample made{.ids = prompt(index)};
  if (!images.empty()) made.pixels = at::stack(images);
  made.answer = std::ssize(made.ids);
  const auto words = tokenizer_.encode(answer(row), {.special = false});
  made.ids.insert(made.ids.end(), words.begin(), words.end());
  made.ids.push_back(architecture_.stop.front());
  return made;
}

}  // namespace vesalius::tasks
