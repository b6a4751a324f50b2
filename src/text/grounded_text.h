// Findings with boxes as CXRReportGen and MAIRA-2 write them:
// <obj>sentence<box><x10><y20><x30><y40></box></obj>…
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace vesalius::text {

/// x to the right, y down, 0 to 1.
struct Box {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  bool operator==(const Box&) const = default;
};

struct GroundingTokens {
  std::string begin = "<obj>", end = "</obj>", box_begin = "<box>", box_end = "</box>";
  int bins = 100;  // <x0> … <x99>, <y0> … <y99>
};

struct GroundedSentence {
  std::string text;
  std::vector<Box> boxes;       // of the square that the model saw
  Span span;                    // where it stands in what was parsed
  bool complete = true;         // false: the text broke off inside it
  std::vector<Span> box_spans;  // of the coordinates of each box
};

/// What was wrong, and what was made of it. Codes: truncated, missing-begin, missing-end,
/// stray-text, stray-space, text-after-box, missing-box-begin, unclosed-box, bad-box, stray-box,
/// coordinate-range. Of what the published parser takes all the same: inverted-box, extra-in-box,
/// token-in-text.
struct Repair {
  std::string code;  // stable
  std::string message;
  size_t at = 0;  // byte
};

struct GroundedText {
  std::vector<GroundedSentence> sentences;
  bool grounded = false;  // false: no such token was there, and the text is one sentence
  std::vector<Repair> repairs;
};

/// Never throws. Text that the published parser takes gives what it gives; of other text, what can
/// be recovered.
GroundedText parse_grounded(std::string_view text, const GroundingTokens& tokens = {});

/// The inverse, for training targets: coordinates fall into bins.
std::string write_grounded(const std::vector<GroundedSentence>& sentences,
                           const GroundingTokens& tokens = {});

/// A box of the centre square of a film, as one of the whole film of that size in pixels, and back.
/// The published rule cuts off to whole pixels. What of a film lies beside the square moves to its
/// edge.
Box box_of_film(const Box& square, int width, int height);
Box box_of_square(const Box& film, int width, int height);

}  // namespace vesalius::text
