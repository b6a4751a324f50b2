#include "results/report_files.h"

#include <gtest/gtest.h>

#include "results/bitmap_font.h"
#include "results/film_overlay.h"
#include "results/finding_codes.h"
#include "tasks/finding_labels.h"

namespace vesalius::results {
namespace {

tasks::Report report_of(int width, int height, size_t findings = 2) {
  tasks::Report report;
  report.frontal.path = "film.png";
  report.frontal.shown = {.width = width, .height = height, .mode = media::Mode::kRgb};
  report.frontal.shown.data.assign(static_cast<size_t>(width) * height * 3, 90);
  for (size_t i = 0; i < findings; ++i) {
    const double at = static_cast<double>(i % 5) / 10;
    report.sentences.push_back({.text = fmt::format("Finding of number {}, a naïve one.", i),
                                .boxes = {{at, at, at + 0.5, at + 0.5}},
                                .labels = {{"Edema", "present"}}});
  }
  report.sentences.back().boxes.clear();
  report.sentences.back().marks = {"says the opposite of sentence 1"};
  report.warnings = {"no prior film was given"};
  return report;
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class ReportFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("vesalius_report_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string codes_error(const std::string& content) const {
    write_file(folder_ / "codes.csv", content);
    return error_of([&] { read_finding_codes(folder_ / "codes.csv"); });
  }

  fs::path folder_;
};

TEST_F(ReportFilesTest, Formats) {
  EXPECT_EQ(report_formats("json, sr"), (std::set<std::string>{"json", "sr"}));
  EXPECT_NE(error_of([] { report_formats("json,pdf"); }).find("'pdf'"), std::string::npos);
  EXPECT_NE(error_of([] { report_formats(""); }), "");
}

TEST_F(ReportFilesTest, Json) {
  tasks::Report report = report_of(10, 10);
  report.sentences[0].agreement = 0.75;
  report.repairs = {{"bad-box", "five coordinates", 17}};
  report.sentences[0].box_probabilities = {std::array{0.5, 0.25, 0.125, 1.0}, std::nullopt};
  report.sentences[0].first_token = 2;
  report.sentences[0].token_count = 3;
  report.output_ids = {7};
  report.output_log_probabilities = {-0.5F};
  const Json json = report_json(report, {{"model", "m"}});
  EXPECT_EQ(json.at("task"), "grounded");
  EXPECT_EQ(json.at("findings").size(), 2U);
  EXPECT_EQ(json["findings"][0]["boxes"], Json::parse("[[0.0, 0.0, 0.5, 0.5]]"));
  EXPECT_EQ(json["findings"][0]["agreement"], 0.75);
  EXPECT_EQ(json["findings"][0]["box_probabilities"],
            Json::parse("[[0.5, 0.25, 0.125, 1.0], null]"));
  EXPECT_EQ(json["findings"][0]["tokens"], Json::parse("[2, 5]"));
  EXPECT_EQ(json["output_log_probabilities"], Json::parse("[-0.5]"));
  EXPECT_FALSE(json["findings"][0].contains("similarity"));
  EXPECT_EQ(json["findings"][1]["boxes"], Json::array());
  EXPECT_EQ(json["findings"][1]["labels"][0]["name"], "Edema");
  EXPECT_EQ(json["diagnostics"][0],
            Json::parse(R"({"code": "bad-box", "message": "five coordinates", "at": 17})"));
  EXPECT_EQ(json.at("model"), "m");
  EXPECT_FALSE(json.contains("sop_instance_uid"));
  report.frontal.dicom.emplace().sop_instance_uid = "1.2.3";
  EXPECT_EQ(report_json(report, {}).at("sop_instance_uid"), "1.2.3");
}

TEST_F(ReportFilesTest, Text) {
  tasks::Report report = report_of(10, 10);
  report.complete = false;
  EXPECT_EQ(report_text(report),
            "film.png\n\n  1. * Finding of number 0, a naïve one.\n"
            "  2. Finding of number 1, a naïve one.\n       ! says the opposite of sentence 1\n"
            "\n* shown by a box on the film\n\nThe report broke off before its end.\n\n"
            "Warning: no prior film was given\n\nResearch use only. Draft, not verified.\n");
}

TEST_F(ReportFilesTest, OnlyFilmsInDicomGiveDicomObjects) {
  for (const char* format : {"sr", "gsps"}) {
    const std::string error = error_of([&] {
      write_report_files(report_of(10, 10),
                         {.folder = folder_, .stem = "a", .formats = {"json", format}});
    });
    EXPECT_NE(error.find("is not DICOM"), std::string::npos) << error;
    EXPECT_NE(error.find(std::string("Leave out the format ") + format), std::string::npos);
    EXPECT_TRUE(fs::is_empty(folder_));
  }
}

TEST_F(ReportFilesTest, FilesOfAPicture) {
  const auto written =
      write_report_files(report_of(33, 21), {.folder = folder_,
                                             .stem = "a",
                                             .formats = {"json", "txt", "png", "fhir"},
                                             .provenance = {}});
  EXPECT_EQ(written.size(), 4U);
  for (const fs::path& file : written) EXPECT_GT(fs::file_size(file), 100U) << file;
  const Json bundle = read_json(folder_ / "a.fhir.json");
  EXPECT_EQ(bundle["entry"].size(), 5U);  // device, two observations, report, provenance
  EXPECT_EQ(bundle["entry"][1]["resource"]["component"][1]["valueString"], "0 0 16.5 10.5");
}

TEST(FilmOverlay, SmallAndLargeFilmsAndManyFindings) {
  const media::Image small = film_overlay(report_of(100, 80));
  EXPECT_EQ(small.width, 500);
  EXPECT_GT(small.height, 400);
  const media::Image large = film_overlay(report_of(4000, 3001, 50));
  EXPECT_EQ(large.width, 1600);
  EXPECT_EQ(large.data.size(), static_cast<size_t>(large.width) * large.height * 3);
  const media::Image narrow = film_overlay(report_of(1, 4000));
  EXPECT_LE(narrow.height, 2700);
  const media::Image dot = film_overlay(report_of(1, 1));
  EXPECT_EQ(dot.width, 480);
}

TEST(FilmOverlay, BoxesHaveTheColourOfTheirFinding) {
  const media::Image picture = film_overlay(report_of(600, 600));
  const auto at = [&](int x, int y) {
    const size_t i = (static_cast<size_t>(y) * picture.width + x) * 3;
    return Colour{picture.data[i], picture.data[i + 1], picture.data[i + 2]};
  };
  EXPECT_EQ(at(299, 150), overlay_colour(0));
  EXPECT_EQ(at(150, 299), overlay_colour(0));
  EXPECT_EQ(at(150, 150), (Colour{90, 90, 90}));
  EXPECT_EQ(at(400, 400), (Colour{90, 90, 90}));
}

TEST(BitmapFont, TextBecomesAscii) {
  EXPECT_EQ(drawable("na\xC3\xAFve \xE2\x80\x94 \xE2\x80\x9C\xC3\x9C\xE2\x80\x9D \xE4\xB8\xAD"),
            "naive - \"U\" ?");
  EXPECT_EQ(drawable("e\xCC\x81\xFF"), "e?");
}

TEST(BitmapFont, LinesBreakBetweenWords) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(wrapped("one two three", 7), (Lines{"one two", "three"}));
  EXPECT_EQ(wrapped("pneumothorax is", 5), (Lines{"pneum", "othor", "ax is"}));
  EXPECT_EQ(wrapped("", 5), Lines{""});
}

TEST(BitmapFont, EveryCharacterLooksDifferent) {
  std::set<std::vector<uint8_t>> seen;
  for (char c = ' '; c <= '~'; ++c) {
    media::Image image{.width = kCellWidth, .height = kCellHeight, .mode = media::Mode::kRgb};
    image.data.resize(static_cast<size_t>(kCellWidth) * kCellHeight * 3);
    draw_text(image, std::string(1, c), 0, 0, 1, {255, 255, 255});
    EXPECT_TRUE(seen.insert(image.data).second) << c;
  }
}

TEST_F(ReportFilesTest, CodesOfTheUser) {
  write_file(
      folder_ / "codes.csv",
      "code,label,scheme,meaning\r\nRID34539,Pleural Effusion,RADLEX,\"effusion, pleural\"\r\n");
  const FindingCodes codes = finding_codes(folder_ / "codes.csv");
  ASSERT_EQ(codes.size(), 1U);
  EXPECT_EQ(codes.at("Pleural Effusion"), (media::Code{"RID34539", "RADLEX", "effusion, pleural"}));
  for (const auto& [label, code] : finding_codes({})) {
    EXPECT_NE(std::ranges::find(tasks::label_names(), label), tasks::label_names().end()) << label;
  }
}

TEST_F(ReportFilesTest, WrongCodesAreToldWithTheirLine) {
  const std::string head = "label,scheme,code,meaning\n";
  EXPECT_NE(
      codes_error(head + "Edema,SCT,1,Edema\n\nOedema,SCT,1,Edema\n").find("codes.csv: line 4"),
      std::string::npos);
  EXPECT_NE(codes_error(head + "Edema,SCT,,Edema\n").find("line 2: 'code' is empty"),
            std::string::npos);
  EXPECT_NE(codes_error(head + "Edema,SCT,1,a\nEdema,SCT,2,b\n").find("line 3: 'Edema' has a code"),
            std::string::npos);
  EXPECT_NE(codes_error(head + "Edema,SCT,12345678901234567,a\n").find("16 bytes"),
            std::string::npos);
  EXPECT_NE(codes_error(head + "Edema,SCT,1\n").find("line 2"), std::string::npos);
}

}  // namespace
}  // namespace vesalius::results
