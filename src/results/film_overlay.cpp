#include "results/film_overlay.h"

#include <algorithm>
#include <cmath>

#include "media/resize.h"
#include "results/bitmap_font.h"
#include "results/report_forms.h"

namespace vesalius::results {
namespace {

using media::Image;

constexpr int kWidest = 1600, kHighest = 2400, kNarrowest = 480, kChannels = 3;
constexpr int kCharactersAcross = 80;  // about, of the legend
constexpr Colour kPaper{16, 16, 16}, kInk{235, 235, 235}, kDim{170, 170, 170}, kBlack{0, 0, 0};

struct Rectangle {
  int x, y, width, height;
  bool meets(const Rectangle& other) const {
    return x < other.x + other.width && other.x < x + width && y < other.y + other.height &&
           other.y < y + height;
  }
};

struct Line {
  std::string text;
  Colour colour = kInk;
  size_t number = 0;  // of the finding that begins here; 0: none does
};

Image film_as_shown(const Image& film) {
  const double smaller = std::min({1.0, static_cast<double>(kWidest) / film.width,
                                   static_cast<double>(kHighest) / film.height});
  if (smaller < 1) {
    return media::resize(film, std::max(1, static_cast<int>(film.width * smaller)),
                         std::max(1, static_cast<int>(film.height * smaller)),
                         media::Filter::kBilinear);
  }
  const int larger =
      std::min((kNarrowest + film.width - 1) / film.width, std::max(1, kHighest / film.height));
  if (larger == 1) return film;
  return media::resize(film, film.width * larger, film.height * larger, media::Filter::kNearest);
}

void draw_box(Image& image, const Rectangle& box, int thick, Colour colour) {
  fill_rectangle(image, box.x, box.y, box.width, thick, colour);
  fill_rectangle(image, box.x, box.y + box.height - thick, box.width, thick, colour);
  fill_rectangle(image, box.x, box.y, thick, box.height, colour);
  fill_rectangle(image, box.x + box.width - thick, box.y, thick, box.height, colour);
}

Rectangle pixels_of(const text::Box& box, const Image& film) {
  const int x0 = static_cast<int>(std::lround(box.x0 * film.width));
  const int y0 = static_cast<int>(std::lround(box.y0 * film.height));
  const int x1 = static_cast<int>(std::lround(box.x1 * film.width));
  const int y1 = static_cast<int>(std::lround(box.y1 * film.height));
  return {x0, y0, std::max(1, x1 - x0), std::max(1, y1 - y0)};
}

/// Finding numbers on the film, none over another as long as there is room to the right.
class Tags {
 public:
  Tags(Image& film, int scale) : film_(film), scale_(scale) {}

  void draw(size_t number, const Rectangle& box, Colour colour) {
    const std::string text = std::to_string(number);
    const int width = (static_cast<int>(text.size()) * kCellWidth + 1) * scale_;
    const int height = kCellHeight * scale_;
    Rectangle tag{std::clamp(box.x, 0, std::max(0, film_.width - width)),
                  std::clamp(box.y, 0, std::max(0, film_.height - height)), width, height};
    while (taken(tag) && tag.x + 2 * width <= film_.width) tag.x += scale_;
    placed_.push_back({tag.x, tag.y, width + 2 * scale_, height});  // "2 2" is not "22"
    fill_rectangle(film_, tag.x, tag.y, tag.width, tag.height, colour);
    draw_text(film_, text, tag.x + scale_, tag.y + 2 * scale_, scale_, kBlack);
  }

 private:
  bool taken(const Rectangle& tag) const {
    return std::ranges::any_of(placed_, [&](const Rectangle& one) { return one.meets(tag); });
  }

  Image& film_;
  int scale_;
  std::vector<Rectangle> placed_;
};

void draw_findings(Image& film, const tasks::Report& report, int scale) {
  Tags tags(film, scale);
  for (size_t i = 0; i < report.sentences.size(); ++i) {
    for (const text::Box& box : report.sentences[i].boxes)
      draw_box(film, pixels_of(box, film), scale, overlay_colour(i));
  }
  for (size_t i = 0; i < report.sentences.size(); ++i) {
    for (const text::Box& box : report.sentences[i].boxes)
      tags.draw(i + 1, pixels_of(box, film), overlay_colour(i));
  }
}

void add_lines(std::vector<Line>& lines, const std::string& text, size_t columns, Line first) {
  for (const std::string& line : wrapped(drawable(text), columns)) {
    lines.push_back({line, first.colour, first.number});
    first.number = 0;
  }
}

std::vector<Line> legend_of(const tasks::Report& report, size_t columns) {
  std::vector<Line> lines;
  for (size_t i = 0; i < report.sentences.size(); ++i)
    add_lines(lines, report.sentences[i].text, columns, {.number = i + 1});
  if (report.sentences.empty()) lines.push_back({"No findings were written.", kDim});
  if (!report.complete) add_lines(lines, "The report broke off before its end.", columns, {});
  add_lines(lines, kDraft, columns, {.colour = kDim});
  return lines;
}

/// The numbers of sentences without a box are grey.
Colour colour_of(const tasks::Report& report, size_t number) {
  return report.sentences[number - 1].boxes.empty() ? kDim : overlay_colour(number - 1);
}

void draw_line(Image& image, const Line& line, const tasks::Report& report, int y, int scale) {
  const int cell = kCellWidth * scale;
  if (line.number > 0) {
    const std::string text = std::to_string(line.number);
    const int width = (static_cast<int>(text.size()) * kCellWidth + 1) * scale;
    fill_rectangle(image, cell, y - scale, width, kCellHeight * scale,
                   colour_of(report, line.number));
    draw_text(image, text, cell + scale, y + scale, scale, kBlack);
  }
  draw_text(image, line.text, cell * 5, y + scale, scale, line.colour);
}
}  // namespace

media::Image film_overlay(const tasks::Report& report) {
  Image film = film_as_shown(report.frontal.shown);
  const int width = std::max(film.width, kNarrowest);
  const int scale = std::max(1, width / (kCharactersAcross * kCellWidth));
  draw_findings(film, report, scale);
  const auto columns = static_cast<size_t>(width / (kCellWidth * scale) - 6);
  const std::vector<Line> lines = legend_of(report, columns);
  const int pitch = (kCellHeight + 2) * scale;
  Image out{.width = width,
            .height = film.height + pitch * (static_cast<int>(lines.size()) + 1),
            .mode = media::Mode::kRgb};
  out.data.resize(static_cast<size_t>(out.width) * out.height * kChannels);
  fill_rectangle(out, 0, 0, out.width, out.height, kPaper);
  const size_t bytes = static_cast<size_t>(film.width) * kChannels;
  for (int y = 0; y < film.height; ++y)
    std::copy_n(&film.data[y * bytes], bytes,
                &out.data[static_cast<size_t>(y) * out.width * kChannels]);
  int y = film.height + pitch / 2;
  for (const Line& line : lines) {
    draw_line(out, line, report, y, scale);
    y += pitch;
  }
  return out;
}

}  // namespace vesalius::results
