// The prompts of MAIRA-2 written out in full, as the fact sheet has them.
#include "text/report_prompt.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace vesalius::text {
namespace {

const ReportContext kContext{.indication = "Cough.",
                             .technique = "PA and lateral.",
                             .comparison = "2019.",
                             .prior_report = "Clear lungs.",
                             .phrase = "Left nodule."};

std::string prompt(ReportTask task, bool lateral, bool prior, ReportContext context = kContext) {
  context.lateral = lateral;
  context.prior = prior;
  return report_prompt(task, context).text;
}

TEST(ReportPrompt, Findings) {
  const auto task = ReportTask::kFindings;
  EXPECT_EQ(prompt(task, false, false),
            "You are an expert radiology assistant tasked with interpreting a chest X-ray study.  "
            "USER:  Given the current frontal image only<image> Provide a structured description "
            "of the findings in the radiology study in comparison to the prior frontal image. "
            "INDICATION: Cough. TECHNIQUE: PA and lateral. COMPARISON: 2019.  ASSISTANT: ");
  EXPECT_EQ(prompt(task, true, false),
            "You are an expert radiology assistant tasked with interpreting a chest X-ray study.  "
            "USER:  Given the current frontal image<image> and the current lateral image<image> "
            "Provide a structured description of the findings in the radiology study in "
            "comparison to the prior frontal image. INDICATION: Cough. TECHNIQUE: PA and lateral. "
            "COMPARISON: 2019.  ASSISTANT: ");
  EXPECT_EQ(prompt(task, false, true),
            "You are an expert radiology assistant tasked with interpreting a chest X-ray study.  "
            "USER:  Given the current frontal image<image> and the prior frontal image<image> "
            "PRIOR_REPORT: Clear lungs. Provide a structured description of the findings in the "
            "radiology study in comparison to the prior frontal image. INDICATION: Cough. "
            "TECHNIQUE: PA and lateral. COMPARISON: 2019.  ASSISTANT: ");
  EXPECT_EQ(prompt(task, true, true),
            "You are an expert radiology assistant tasked with interpreting a chest X-ray study.  "
            "USER:  Given the current frontal image<image> the current lateral image<image> and "
            "the prior frontal image<image> PRIOR_REPORT: Clear lungs. Provide a structured "
            "description of the findings in the radiology study in comparison to the prior "
            "frontal image. INDICATION: Cough. TECHNIQUE: PA and lateral. COMPARISON: 2019.  "
            "ASSISTANT: ");
}

TEST(ReportPrompt, GroundedFindings) {
  const auto task = ReportTask::kGroundedFindings;
  EXPECT_EQ(prompt(task, false, false),
            "You are an expert radiology assistant tasked with interpreting a chest X-ray study.  "
            "USER:  Given the current frontal image only<image> Provide a structured description "
            "of the findings in the radiology study in comparison to the prior frontal image. "
            "Each finding should be described as a self-contained plain-text sentence. If the "
            "finding is groundable, locate the finding in the current frontal chest X-ray image, "
            "with bounding boxes indicating all locations where it can be seen in the current "
            "frontal image. Otherwise, generate just the ungrounded finding without bounding "
            "boxes. INDICATION: Cough. TECHNIQUE: PA and lateral. COMPARISON: 2019.  ASSISTANT: ");
  EXPECT_EQ(prompt(task, true, false),
            "You are an expert radiology assistant tasked with interpreting a chest X-ray study.  "
            "USER:  Given the current frontal image<image> and the current lateral image<image> "
            "Provide a structured description of the findings in the radiology study in "
            "comparison to the prior frontal image. Each finding should be described as a "
            "self-contained plain-text sentence. If the finding is groundable, locate the finding "
            "in the current frontal chest X-ray image, with bounding boxes indicating all "
            "locations where it can be seen in the current frontal image. Otherwise, generate "
            "just the ungrounded finding without bounding boxes. INDICATION: Cough. TECHNIQUE: PA "
            "and lateral. COMPARISON: 2019.  ASSISTANT: ");
  EXPECT_EQ(prompt(task, false, true),
            "You are an expert radiology assistant tasked with interpreting a chest X-ray study.  "
            "USER:  Given the current frontal image<image> and the prior frontal image<image> "
            "PRIOR_REPORT: Clear lungs. Provide a structured description of the findings in the "
            "radiology study in comparison to the prior frontal image. Each finding should be "
            "described as a self-contained plain-text sentence. If the finding is groundable, "
            "locate the finding in the current frontal chest X-ray image, with bounding boxes "
            "indicating all locations where it can be seen in the current frontal image. "
            "Otherwise, generate just the ungrounded finding without bounding boxes. INDICATION: "
            "Cough. TECHNIQUE: PA and lateral. COMPARISON: 2019.  ASSISTANT: ");
  EXPECT_EQ(prompt(task, true, true),
            "You are an expert radiology assistant tasked with interpreting a chest X-ray study.  "
            "USER:  Given the current frontal image<image> the current lateral image<image> and "
            "the prior frontal image<image> PRIOR_REPORT: Clear lungs. Provide a structured "
            "description of the findings in the radiology study in comparison to the prior "
            "frontal image. Each finding should be described as a self-contained plain-text "
            "sentence. If the finding is groundable, locate the finding in the current frontal "
            "chest X-ray image, with bounding boxes indicating all locations where it can be seen "
            "in the current frontal image. Otherwise, generate just the ungrounded finding "
            "without bounding boxes. INDICATION: Cough. TECHNIQUE: PA and lateral. COMPARISON: "
            "2019.  ASSISTANT: ");
}

TEST(ReportPrompt, PhraseSeesTheFrontalImageAlone) {
  const std::string golden =
      "You are an expert radiology assistant tasked with interpreting a chest X-ray study.  "
      "USER:  Given the current frontal image<image> Repeat the following finding as a grounded "
      "phrase with bounding boxes indicating all locations where it can be seen in the given "
      "chest X-ray image. Finding: Left nodule.  ASSISTANT: ";
  for (const bool lateral : {false, true})
    for (const bool prior : {false, true})
      EXPECT_EQ(prompt(ReportTask::kPhrase, lateral, prior), golden);
}

TEST(ReportPrompt, WhatIsEmptyIsNotAvailable) {
  const std::string text = prompt(ReportTask::kFindings, false, true, {.technique = " \n"});
  EXPECT_NE(text.find("<image> PRIOR_REPORT: N/A Provide"), std::string::npos);
  EXPECT_TRUE(text.ends_with("INDICATION: N/A TECHNIQUE:  \n COMPARISON: N/A  ASSISTANT: "))
      << text;
  EXPECT_TRUE(prompt(ReportTask::kPhrase, false, false, {}).ends_with("Finding:   ASSISTANT: "));
}

TEST(ReportPrompt, APriorReportNeedsAPriorImage) {
  for (const bool lateral : {false, true})
    EXPECT_EQ(prompt(ReportTask::kFindings, lateral, false).find("PRIOR_REPORT"),
              std::string::npos);
}

std::vector<std::string> users_words(ReportTask task, const ReportContext& context) {
  const ReportPrompt made = report_prompt(task, context);
  std::vector<std::string> words;
  for (const Span span : made.users)
    words.push_back(made.text.substr(span.begin, span.end - span.begin));
  return words;
}

TEST(ReportPrompt, KnowsTheUsersWords) {
  ReportContext context = kContext;
  context.prior = true;
  using Words = std::vector<std::string>;
  EXPECT_EQ(users_words(ReportTask::kFindings, context),
            (Words{"Clear lungs.", "Cough.", "PA and lateral.", "2019."}));
  EXPECT_EQ(users_words(ReportTask::kPhrase, context), Words{"Left nodule."});
  EXPECT_EQ(users_words(ReportTask::kGroundedFindings, {.comparison = "N/A"}), Words{"N/A"});
  EXPECT_EQ(users_words(ReportTask::kGroundedFindings, {}), Words{});
  // The user's words are never patterns.
  EXPECT_EQ(users_words(ReportTask::kFindings, {.indication = "{image}{technique}"}),
            Words{"{image}{technique}"});
}

TEST(ReportPrompt, OtherWording) {
  ReportWording wording;
  wording.system = "S{nothing}";
  wording.image = "<|image_1|>";
  wording.frontal_only = "[{image}]";
  wording.findings = "{technique}/{technique}";
  const ReportPrompt made = report_prompt(ReportTask::kFindings, {.technique = "AP"}, wording);
  EXPECT_EQ(made.text, "S{nothing}[<|image_1|>]AP/AP");
  EXPECT_EQ(made.users.size(), 2u);
}

TEST(ReportTasks, HaveNames) {
  for (const char* name : {"findings", "grounded", "phrase"})
    EXPECT_EQ(name_of(parse_report_task(name)), name);
  EXPECT_THROW(parse_report_task("impression"), Error);
}

}  // namespace
}  // namespace vesalius::text
