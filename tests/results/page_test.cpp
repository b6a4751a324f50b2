#include "results/page.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "results/thumbnail.h"
#include "tasks/scratch.h"

namespace vesalius::results {
namespace {

using testing::pixels;
using testing::Scratch;
using testing::tiny_tiff;

std::string page_of(const PageCase& one, const Json& provenance = {{"model", "fake"}}) {
  const Scratch scratch;
  Page page(scratch / "p.html", "A <title>", provenance);
  page.add(one);
  page.finish();
  return read_text(scratch / "p.html");
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Page, EscapesEverything) {
  EXPECT_EQ(escape_html("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(escape_html("\xFF"), "\xEF\xBF\xBD");
  const std::string evil = "<script>alert(1)</script>\" onerror=\"x";
  const PageCase one{.title = evil,
                     .detail = evil,
                     .image = "data:image/jpeg;base64,\"" + evil,
                     .tags = {evil},
                     .facts = {{evil, evil}},
                     .warnings = {evil},
                     .groups = {{evil, {{evil, 0.5}}}},
                     .hits = {{evil, evil, evil, 0.5}},
                     .searched = true};
  const auto html = page_of(one, {{"model", evil}, {evil, evil}});
  EXPECT_FALSE(has(html, "<script"));
  EXPECT_FALSE(has(html, "\" onerror"));
}

TEST(Page, ShowsScoresNeighboursAndProvenance) {
  const PageCase one{.title = "scan.dcm",
                     .tags = {"CT"},
                     .groups = {{"modality", {{"CT", 0.9}, {"MR", 0.0001}}}},
                     .hits = {{.title = "near.png", .detail = "label CT", .score = 0.875}},
                     .searched = true};
  const auto html = page_of(one, {{"model", "starter-insight"}, {"weights_sha256", "abc123"}});
  for (const char* part :
       {"scan.dcm", "modality", "90.0 %", "&lt; 0.1 %", "near.png", "0.875", "label CT", "abc123",
        "not a medical device", "for trying the program", "width:90.0%"})
    EXPECT_TRUE(has(html, part)) << part;
}

TEST(Page, IsOneFileThatLoadsNothing) {
  const auto html = page_of({.title = "x"});
  EXPECT_TRUE(has(html, "<!doctype html>"));
  EXPECT_TRUE(has(html, "lang=\"en\""));
  for (const char* part : {"http:", "https:", "<link", "<script", "url(", "@import"})
    EXPECT_FALSE(has(html, part)) << part;
}

TEST(Page, SaysThatASeededCheckpointMeansNothing) {
  EXPECT_TRUE(has(page_of({.title = "x"}, {{"model", "m"}, {"seeded", true}}), "mean nothing"));
  EXPECT_FALSE(has(page_of({.title = "x"}, {{"model", "m"}}), "mean nothing"));
}

TEST(Page, ListsProblemsAndStandsThereOnlyWhenFinished) {
  const Scratch scratch;
  Page page(scratch / "p.html", "t", Json::object());
  page.add_problem("a.png: is cut short");
  EXPECT_FALSE(fs::exists(scratch / "p.html"));
  page.finish();
  EXPECT_TRUE(has(read_text(scratch / "p.html"), "1 input could not be used"));
  EXPECT_TRUE(has(read_text(scratch / "p.html"), "a.png: is cut short"));
}

TEST(Base64, KnownValues) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : cases) EXPECT_EQ(base64(plain, std::strlen(plain)), encoded);
}

TEST(Thumbnails, DrawWhatCanBeReadAndNothingElse) {
  const Scratch scratch;
  Thumbnails thumbnails(32);
  const auto image = scratch.write("a.tif", tiny_tiff(pixels(1)));
  const auto uri = thumbnails.of(image);
  EXPECT_TRUE(uri.starts_with("data:image/jpeg;base64,/9j/")) << uri.substr(0, 40);
  fs::remove(image);
  EXPECT_EQ(thumbnails.of(image), uri);  // remembered
  EXPECT_EQ(thumbnails.of(scratch.write("b.png", "no image")), "");
  EXPECT_EQ(thumbnails.of("/no/such/file"), "");
}

}  // namespace
}  // namespace vesalius::results
