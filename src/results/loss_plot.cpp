#include "results/loss_plot.h"

#include <algorithm>
#include <cmath>

#include "results/page.h"

namespace vesalius::results {
namespace {

constexpr double kWidth = 760, kHeight = 380, kLeft = 56, kRight = 56, kTop = 44, kBottom = 44;

struct Point {
  double x, y;
};

std::vector<Point> series(const std::vector<Json>& log, const char* key) {
  std::vector<Point> points;
  for (const Json& line : log)
    if (line.contains(key) && line.contains("epoch") && line[key].is_number())
      points.push_back({line["epoch"].get<double>(), line[key].get<double>()});
  return points;
}

/// A step of 1, 2 or 5 times a power of ten that divides `range` into at most about six.
double tick_step(double range) {
  const double raw = std::max(range, 1e-9) / 6, power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1., 2., 5.})
    if (raw <= factor * power) return factor * power;
  return 10 * power;
}

struct Axes {
  double last_epoch, top;
  double x(double epoch) const { return kLeft + (kWidth - kLeft - kRight) * epoch / last_epoch; }
  double y(double share) const { return kHeight - kBottom - (kHeight - kTop - kBottom) * share; }
};

std::string polyline(const std::vector<Point>& points, const Axes& axes, double top,
                     const char* style) {
  std::string path;
  for (const Point& p : points)
    path += fmt::format("{:.1f},{:.1f} ", axes.x(p.x), axes.y(std::clamp(p.y / top, 0., 1.)));
  return fmt::format("<polyline class=\"{}\" points=\"{}\"/>\n", style, path);
}

std::string ticks(const Axes& axes) {
  std::string out;
  const double step = tick_step(axes.top);
  for (double v = 0; v <= axes.top * 1.0001; v += step) {
    const double y = axes.y(v / axes.top);
    out += fmt::format(
        "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:g}</text>\n",
        kLeft, kWidth - kRight, y, y, kLeft - 8, y + 4, v);
  }
  const double epochs = std::max(1., tick_step(axes.last_epoch));
  for (double v = 0; v <= axes.last_epoch * 1.0001; v += epochs)
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:g}</text>\n",
                       axes.x(v), kHeight - kBottom + 18, v);
  return out;
}

}  // namespace

std::string loss_plot(const std::vector<Json>& log, const std::string& title) {
  const auto loss = series(log, "loss"), held_out = series(log, "validation_loss");
  const auto top1 = series(log, "validation_top1"), dice = series(log, "validation_dice");
  const auto& share = top1.empty() ? dice : top1;
  Axes axes{.last_epoch = 1, .top = 1e-3};
  for (const auto* points : {&loss, &held_out})
    for (const Point& p : *points) {
      axes.last_epoch = std::max(axes.last_epoch, p.x);
      axes.top = std::max(axes.top, p.y);
    }
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" "
      "font-family=\"system-ui,sans-serif\" "
      "font-size=\"12\">\n<style>text{{fill:#333}}.grid{{stroke:#8884}}polyline{{fill:none;stroke-"
      "width:2}}"
      ".loss{{stroke:#2563eb}}.held{{stroke:#d97706}}.top{{stroke:#059669;stroke-dasharray:5 3}}"
      "@media(prefers-color-scheme:dark){{svg{{background:#111}}text{{fill:#ddd}}}}</style>\n",
      kWidth, kHeight);
  out += fmt::format("<text x=\"{}\" y=\"20\" font-size=\"15\">{}</text>\n", kLeft,
                     escape_html(title));
  out += ticks(axes) + polyline(loss, axes, axes.top, "loss");
  out += polyline(held_out, axes, axes.top, "held") + polyline(share, axes, 1, "top");
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">epoch</text>\n", kWidth / 2,
                     kHeight - 8);
  out += fmt::format(
      "<text x=\"{}\" y=\"38\" text-anchor=\"end\"><tspan fill=\"#2563eb\">training loss</tspan>  "
      "<tspan fill=\"#d97706\">{}</tspan>  <tspan fill=\"#059669\">validation {} "
      "(0 to 1)</tspan></text>\n</svg>\n",
      kWidth - kRight, held_out.empty() ? "" : "validation loss",
      top1.empty() && !dice.empty() ? "Dice" : "top-1");
  return out;
}

}  // namespace vesalius::results
