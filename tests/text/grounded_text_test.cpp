#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "text/grounded_text.h"

namespace vesalius::text {
namespace {

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> sentences;
  std::vector<size_t> boxes;  // of each sentence
  std::vector<std::string> repairs;
  bool complete = true;  // the last one
};

void expect(const Case& wanted) {
  SCOPED_TRACE(wanted.name);
  const GroundedText parsed = parse_grounded(wanted.text);
  std::vector<std::string> sentences, repairs;
  std::vector<size_t> boxes;
  for (const auto& sentence : parsed.sentences) {
    sentences.push_back(sentence.text);
    boxes.push_back(sentence.boxes.size());
  }
  for (const auto& repair : parsed.repairs) repairs.push_back(repair.code);
  EXPECT_EQ(sentences, wanted.sentences);
  EXPECT_EQ(boxes, wanted.boxes);
  EXPECT_EQ(repairs, wanted.repairs);
  const bool complete = parsed.sentences.empty() || parsed.sentences.back().complete;
  EXPECT_EQ(complete, wanted.complete);
}

TEST(ParseGrounded, TakesWhatThePublishedParserTakes) {
  const std::string box = "<box><x10><y20><x30><y40></box>";
  const std::vector<Case> cases{
      {"nothing", "", {}, {}, {}},
      {"white space", " \n\u00a0", {}, {}, {}},
      {"plain", "  The lungs are clear. ", {"The lungs are clear."}, {0}, {}},
      {"two items", "<obj>A " + box + box + "</obj><obj> B </obj>", {"A", "B "}, {2, 0}, {}},
      {"empty item", "<obj></obj>", {""}, {0}, {}},
      {"five coordinates",
       "<obj>A<box><x1><x10><y20><x30><y40></box></obj>",
       {"A"},
       {1},
       {"extra-in-box"}},
      {"inverted", "<obj>A<box><x30><y20><x10><y40></box></obj>", {"A"}, {1}, {"inverted-box"}},
      {"an item inside", "<obj>A<obj>B</obj>", {"A<obj>B"}, {0}, {"token-in-text"}},
      {"coordinates as text", "<obj>A<x1><y2></obj>", {"A<x1><y2>"}, {0}, {}},
  };
  for (const Case& each : cases) expect(each);
}

TEST(ParseGrounded, RecoversTheRest) {
  const std::string box = "<box><x10><y20><x30><y40></box>";
  const std::vector<Case> cases{
      {"cut in a sentence", "<obj>A</obj><obj>Bee", {"A", "Bee"}, {0, 0}, {"truncated"}, false},
      {"cut at its begin", "<obj>A</obj><obj>", {"A"}, {0}, {"truncated"}},
      {"cut in a box", "<obj>A<box><x1><y2>", {"A"}, {0}, {"truncated"}, false},
      {"cut behind a box", "<obj>A" + box, {"A"}, {1}, {"truncated"}, false},
      {"space between", "<obj>A</obj> <obj>B</obj>", {"A", "B"}, {0, 0}, {"stray-space"}},
      {"stop between",
       "<obj>A</obj>. <obj>B</obj>.",
       {"A", "B"},
       {0, 0},
       {"stray-space", "stray-space"}},
      {"words outside", "No change. <obj>A</obj>", {"No change.", "A"}, {0, 0}, {"stray-text"}},
      {"no end", "<obj>A" + box + "<obj>B</obj>", {"A", "B"}, {1, 0}, {"missing-end"}},
      {"no begin", "A</obj><obj>B</obj>", {"A", "B"}, {0, 0}, {"stray-text", "missing-begin"}},
      {"no box begin", "<obj>A <x1><y2><x3><y4></box></obj>", {"A"}, {1}, {"missing-box-begin"}},
      {"no box begin, no box", "<obj>A</box></obj>", {"A"}, {0}, {"missing-box-begin"}},
      {"no box end", "<obj>A<box><x1><y2><x3><y4></obj>", {"A"}, {1}, {"unclosed-box"}},
      {"three coordinates", "<obj>A<box><x1><y2><x3></box></obj>", {"A"}, {0}, {"bad-box"}},
      {"wrong order", "<obj>A<box><y1><x2><y3><x4></box></obj>", {"A"}, {0}, {"bad-box"}},
      {"spaces in a box",
       "<obj>A<box><x1> <y2> <x3> <y4></box></obj>",
       {"A"},
       {1},
       {"extra-in-box"}},
      {"past the last",
       "<obj>A<box><x1><y2><x100><y99999999999></box></obj>",
       {"A"},
       {1},
       {"coordinate-range"}},
      {"words behind a box", "<obj>A" + box + " and B</obj>", {"A and B"}, {1}, {"text-after-box"}},
      {"space between boxes", "<obj>A" + box + " " + box + "</obj>", {"A"}, {2}, {"stray-space"}},
      {"box outside", "<obj>A</obj>" + box, {"A"}, {1}, {"stray-box"}},
      {"box alone", box, {}, {}, {"stray-box"}},
  };
  for (const Case& each : cases) expect(each);
}

TEST(ParseGrounded, BoxesAreMiddlesOfBins) {
  const auto parsed = parse_grounded("<obj>A<box><x0><y20><x99><y100></box></obj>");
  EXPECT_EQ(parsed.sentences[0].boxes[0], (Box{0.005, 0.205, 0.995, 0.995}));
  GroundingTokens coarse{.bins = 10};
  const auto few = parse_grounded("<obj>A<box><x0><y1><x2><y9></box></obj>", coarse);
  EXPECT_EQ(few.sentences[0].boxes[0], (Box{0.05, 0.15, 0.25, 0.95}));
}

TEST(ParseGrounded, SpansPointAtTheItems) {
  const std::string text = " <obj>A</obj><obj>B<box><x1><y2><x3><y4></box></obj> C ";
  std::vector<std::string> items;
  for (const auto& sentence : parse_grounded(text).sentences)
    items.push_back(text.substr(sentence.span.begin, sentence.span.end - sentence.span.begin));
  EXPECT_EQ(items, (std::vector<std::string>{"<obj>A</obj>",
                                             "<obj>B<box><x1><y2><x3><y4></box></obj>", "C"}));
}

TEST(ParseGrounded, BoxSpansPointAtTheCoordinates) {
  const std::string text =
      "<obj>B<box><x9><x1><y2><x3><y4></box><box><x5> <y6> <x7> <y8></box></obj>"
      "<obj>C <x1><y1><x2><y2></box></obj>";
  std::vector<std::string> found;
  for (const auto& sentence : parse_grounded(text).sentences) {
    EXPECT_EQ(sentence.box_spans.size(), sentence.boxes.size());
    for (const Span& span : sentence.box_spans)
      found.push_back(text.substr(span.begin, span.end - span.begin));
  }
  EXPECT_EQ(found, (std::vector<std::string>{"<x1><y2><x3><y4>", "<x5> <y6> <x7> <y8>",
                                             "<x1><y1><x2><y2>"}));
}

TEST(ParseGrounded, OtherTokens) {
  const GroundingTokens other{.begin = "[", .end = "]", .box_begin = "{", .box_end = "}"};
  const auto parsed = parse_grounded("[A{<x1><y2><x3><y4>}][B]", other);
  ASSERT_EQ(parsed.sentences.size(), 2u);
  EXPECT_EQ(parsed.sentences[0].boxes.size(), 1u);
  EXPECT_TRUE(parsed.repairs.empty());
  const GroundingTokens none{.begin = "", .end = "", .box_begin = "", .box_end = ""};
  EXPECT_EQ(parse_grounded("<obj>A</obj>", none).sentences[0].text, "<obj>A</obj>");
}

TEST(ParseGrounded, MegabytesOfOneTokenTakeMoments) {
  for (const char* piece : {"<obj>", "</obj>", "<box>", "</box>", "<x1>", "<obj><box>", "<x1<x1"}) {
    std::string text = "<obj>A</obj>";
    while (text.size() < 2'000'000) text += piece;
    EXPECT_FALSE(parse_grounded(text + "</obj>").sentences.empty());
  }
}

TEST(WriteGrounded, IsReadAgain) {
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    std::vector<GroundedSentence> sentences(random() % 5);
    for (auto& sentence : sentences) {
      sentence.text = "Sentence " + std::to_string(random() % 100) + ".";
      sentence.boxes.resize(random() % 3);
      for (Box& box : sentence.boxes)
        for (double* v : {&box.x0, &box.y0, &box.x1, &box.y1}) *v = (random() % 100 + 0.5) / 100;
    }
    const GroundedText parsed = parse_grounded(write_grounded(sentences));
    ASSERT_EQ(parsed.sentences.size(), sentences.size());
    for (size_t k = 0; k < sentences.size(); ++k) {
      EXPECT_EQ(parsed.sentences[k].text, sentences[k].text);
      EXPECT_EQ(parsed.sentences[k].boxes, sentences[k].boxes);
    }
  }
}

TEST(WriteGrounded, PutsCoordinatesIntoBins) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(write_grounded({{.text = "A", .boxes = {{0, 0.0999, 0.1, 1}, {-3, nan, 0.5, 9}}}}),
            "<obj>A<box><x0><y9><x10><y99></box><box><x0><y0><x50><y99></box></obj>");
}

TEST(BoxOfFilm, CutsOffToWholePixels) {
  // 0.415 of 480 and 80 beside it: 279.2 → 279 of 640.
  const Box film = box_of_film({0.415, 0.225, 0.995, 0.005}, 640, 480);
  EXPECT_EQ(film, (Box{279.0 / 640, 108.0 / 480, 557.0 / 640, 2.0 / 480}));
  // An odd margin: (481 - 480) / 2 is 0.
  EXPECT_EQ(box_of_film({0, 0, 1, 1}, 480, 481), (Box{0, 0, 1, 480.0 / 481}));
}

TEST(BoxOfSquare, TakesFilmsBack) {
  std::mt19937 random(4);
  for (int i = 0; i < 2000; ++i) {
    const int width = 1 + static_cast<int>(random() % 3000),
              height = 1 + static_cast<int>(random() % 3000);
    const Box square{random() % 100 / 100.0, random() % 100 / 100.0, random() % 100 / 100.0,
                     random() % 100 / 100.0};
    const Box back = box_of_square(box_of_film(square, width, height), width, height);
    const double pixel = 1.0 / std::min(width, height) + 1e-9;
    EXPECT_NEAR(back.x0, square.x0, pixel);
    EXPECT_NEAR(back.y0, square.y0, pixel);
    EXPECT_NEAR(back.x1, square.x1, pixel);
    EXPECT_NEAR(back.y1, square.y1, pixel);
  }
  // What lies beside the square has no width left in it.
  const Box beside = box_of_square({0, 0.1, 0.1, 0.9}, 200, 100);
  EXPECT_EQ(beside.x0, beside.x1);
}

}  // namespace
}  // namespace vesalius::text
