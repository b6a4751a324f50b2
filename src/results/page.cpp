#include "results/page.h"

#include <algorithm>

#include "base/version.h"
#include "results/page_style.h"

namespace vesalius::results {
namespace {

std::string element(const std::string& tag, const std::string& classes, const std::string& inside) {
  return fmt::format("<{} class=\"{}\">{}</{}>", tag, classes, inside, tag);
}

std::string film(const std::string& image, const std::string& alternative) {
  if (image.empty())
    return element("div", "film", "<span class=\"gap\">The image cannot be shown</span>");
  return element("div", "film",
                 fmt::format("<img src=\"{}\" alt=\"{}\" loading=\"lazy\">", escape_html(image),
                             escape_html(alternative)));
}

/// Decoration: the number stands beside it as text.
std::string track(double share) {
  return fmt::format(
      "<span class=\"track\" aria-hidden=\"true\"><i style=\"width:{:.1f}%\"></i></span>",
      100 * std::clamp(share, 0.0, 1.0));
}

std::string percent(double score) {
  if (score > 0 && score < 0.001) return "&lt; 0.1 %";
  return fmt::format("{:.1f} %", 100 * score);
}

std::string scores_html(const tasks::GroupScores& group) {
  std::string items;
  for (const auto& score : group.scores)
    items +=
        fmt::format("<li><span class=\"label\">{}</span>{}<span class=\"value\">{}</span></li>",
                    escape_html(score.label), track(score.score), percent(score.score));
  const std::string name = group.group.empty() ? "Scores" : escape_html(group.group);
  return "<section><h3>" + name + "</h3><ol class=\"scores\">" + items + "</ol></section>";
}

std::string hit_html(const PageHit& hit) {
  std::string inside = film(hit.image, "similar case " + hit.title);
  inside += fmt::format("<span class=\"name\" title=\"{0}\">{0}</span>", escape_html(hit.title));
  inside += fmt::format("<span class=\"cosine\">{}<span>{:.3f}</span></span>", track(hit.score),
                        hit.score);
  if (!hit.detail.empty()) inside += element("span", "more", escape_html(hit.detail));
  return "<li>" + inside + "</li>";
}

std::string hits_html(const PageCase& one) {
  if (!one.searched) return "";
  std::string items;
  for (const auto& hit : one.hits) items += hit_html(hit);
  if (items.empty()) items = "<li>The index holds no other image.</li>";
  return element("section", "near",
                 "<h3>Nearest neighbours, by cosine</h3><ol class=\"hits\">" + items + "</ol>");
}

std::string facts_html(const PageCase& one) {
  std::string rows;
  for (const auto& [name, value] : one.facts)
    rows += "<dt>" + escape_html(name) + "</dt><dd>" + escape_html(value) + "</dd>";
  return rows.empty() ? "" : "<details><summary>Identity</summary><dl>" + rows + "</dl></details>";
}

std::string about_html(const PageCase& one) {
  std::string about = "<h2>" + escape_html(one.title) + "</h2>";
  if (!one.detail.empty()) about += element("p", "where", escape_html(one.detail));
  std::string tags;
  for (const auto& tag : one.tags) tags += "<li>" + escape_html(tag) + "</li>";
  if (!tags.empty()) about += element("ul", "tags", tags);
  for (const auto& warning : one.warnings) about += element("p", "warning", escape_html(warning));
  std::string groups;
  for (const auto& group : one.groups) groups += scores_html(group);
  if (!groups.empty()) about += element("div", "groups", groups);
  return "<div>" + about + facts_html(one) + "</div>";
}

std::string provenance_html(const Json& provenance) {
  std::string rows;
  for (const auto& [name, value] : provenance.items())
    rows += "<dt>" + escape_html(name) + "</dt><dd><code>" +
            escape_html(value.is_string() ? value.get<std::string>() : dump_json(value)) +
            "</code></dd>";
  return "<dl>" + rows + "</dl>";
}

}  // namespace

std::string escape_html(const std::string& text) {
  // Through JSON once: what is not UTF-8 comes out as U+FFFD.
  const std::string clean = Json::parse(dump_json(Json(text))).get<std::string>();
  std::string out;
  for (const char c : clean) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

Page::Page(const fs::path& path, const std::string& title, const Json& provenance)
    : writer_(path), provenance_(provenance) {
  const bool starter = provenance.value("model", std::string()).starts_with("starter");
  writer_.write(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta name=\"referrer\" content=\"no-referrer\"><title>" +
      escape_html(title) + "</title><style>" + kPageStyle + "</style></head>\n<body><header><h1>" +
      escape_html(title) + "</h1><p>" + escape_html(provenance.value("model", std::string())) +
      " · recipe " + escape_html(provenance.value("recipe", std::string())) + " · " +
      escape_html(provenance.value("precision", std::string())) + " on " +
      escape_html(provenance.value("device", std::string())) +
      "</p><p class=\"notice\" role=\"note\">" + kResearchUse +
      (starter ? " The starter model is small and for trying the program." : "") +
      (provenance.value("seeded", false)
           ? " This checkpoint is seeded, not trained: its scores mean "
             "nothing."
           : "") +
      "</p></header>\n<main>\n");
}

void Page::add(const PageCase& one) {
  const bool words = one.image.empty() && one.groups.empty() && one.searched && one.tags.empty();
  writer_.write(fmt::format("<article class=\"case{}\">", words ? " words" : "") +
                (words ? "" : film(one.image, one.title)) + about_html(one) + hits_html(one) +
                "</article>\n");
  ++count_;
}

void Page::add_problem(const std::string& message) { problems_.push_back(message); }

void Page::finish() {
  if (!problems_.empty()) {
    std::string items;
    for (const auto& problem : problems_) items += "<li>" + escape_html(problem) + "</li>";
    writer_.write(element("section", "problems",
                          fmt::format("<h2>{} input{} could not be used</h2><ul>{}</ul>",
                                      problems_.size(), problems_.size() == 1 ? "" : "s", items)) +
                  "\n");
  }
  writer_.write(
      fmt::format("</main>\n<footer><h3>How these results were made</h3>{}<p>{} shown · {}</p>"
                  "</footer></body></html>\n",
                  provenance_html(provenance_), count_, kResearchUse));
  writer_.commit();
}

}  // namespace vesalius::results
