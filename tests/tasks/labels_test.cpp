#include "tasks/labels.h"

#include <gtest/gtest.h>

#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

using testing::error_of;

TEST(Labels, AListIsSplitAtCommas) {
  const auto groups = parse_label_list(" no finding, pneumonia ,covid-19,");
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].labels, (std::vector<std::string>{"no finding", "pneumonia", "covid-19"}));
  EXPECT_TRUE(groups[0].name.empty());
}

TEST(Labels, AFileHasOneLabelALineAndCommasStay) {
  const auto groups = parse_labels_file("effusion, left\r\n\n\\#1 priority\n", "l.txt");
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].labels, (std::vector<std::string>{"effusion, left", "#1 priority"}));
}

TEST(Labels, AByteOrderMarkIsNoPartOfTheFirstLine) {
  EXPECT_EQ(parse_labels_file("\xEF\xBB\xBF# kind\nx-ray\n", "l.txt")[0].name, "kind");
  EXPECT_EQ(parse_labels_file("\xEF\xBB\xBFx-ray\n", "l.txt")[0].labels[0], "x-ray");
}

TEST(Labels, OnlyTheFirstGapIsFilledAndLabelsMayHoldGaps) {
  EXPECT_EQ(fill_template("{} and {}", "{}"), "{} and {}");
  EXPECT_EQ(fill_template("a {}", ""), "a ");
}

TEST(Labels, HeadingsMakeGroupsWithTemplatesAndConditions) {
  const auto groups = parse_labels_file(
      "# modality | a {} image | {}\nx-ray\nCT\n"
      "# finding | x-ray chest {} | when modality = x-ray, CT\nno finding\npneumonia\n",
      "l.txt");
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].name, "modality");
  EXPECT_EQ(groups[0].templates, (std::vector<std::string>{"a {} image", "{}"}));
  EXPECT_EQ(groups[1].when_group, "modality");
  EXPECT_EQ(groups[1].when_labels, (std::vector<std::string>{"x-ray", "CT"}));
  EXPECT_EQ(groups[1].templates, std::vector<std::string>{"x-ray chest {}"});
}

TEST(Labels, WrongFilesAreRefusedWithTheReason) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "no label"},
      {"# modality\n", "no label in 'modality'"},
      {"a\nb\na\n", "'a' comes twice"},
      {"# x\na\n# x\nb\n", "group 'x' comes twice"},
      {"# \na\n", "needs a name"},
      {"# x | no gap\na\n", "neither a template"},
      {"# x | when y\na\n", "a condition is"},
      {"# y\na\n# x | when = a\nc\n", "a condition is"},
      {"# y\na\n# x | when y =\nc\n", "depends on the label ''"},
      {"# x | when y = b\na\n", "depends on the group 'y'"},
      {"# y\na\n# x | when y = b\nc\n", "depends on the label 'b'"},
  };
  for (const auto& [text, says] : cases) {
    const auto message = error_of(ErrorCode::kUsage, [&] { parse_labels_file(text, "l.txt"); });
    EXPECT_NE(message.find(says), std::string::npos) << message;
    EXPECT_NE(message.find("l.txt"), std::string::npos) << message;
  }
  error_of(ErrorCode::kUsage, [] { parse_label_list(" , "); });
  error_of(ErrorCode::kUsage, [] { parse_label_list("a, a"); });
}

TEST(Labels, TemplatesAreFilled) {
  EXPECT_EQ(fill_template("x-ray chest {}.", "edema"), "x-ray chest edema.");
  EXPECT_EQ(fill_template("{}", "edema"), "edema");
  error_of(ErrorCode::kUsage, [] { fill_template("x-ray chest", "edema"); });
}

}  // namespace
}  // namespace vesalius::tasks
