#include "tasks/outlines.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tasks/outline_refusal.h"
#include "tasks/scratch.h"

using namespace vesalius;
using namespace vesalius::tasks;
using vesalius::testing::refusal;
using vesalius::testing::Scratch;

namespace {

TEST(Outlines, RowsOfOneImageComeTogether) {
  const Scratch scratch;
  write_file(scratch / "m.csv",
             "image,prompt,mask,kind\na.png,liver,a_liver.png,CT abdomen\nb.png,lung,/x/b.png,\n"
             "a.png,spleen,,CT abdomen\n");
  const auto images = read_outlines(scratch / "m.csv");
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].image, scratch / "a.png");
  EXPECT_EQ(images[0].kind, "CT abdomen");
  ASSERT_EQ(images[0].outlines.size(), 2U);
  EXPECT_EQ(images[0].outlines[0].mask, scratch / "a_liver.png");
  EXPECT_TRUE(images[0].outlines[1].mask.empty());  // looked for and not there
  EXPECT_EQ(images[1].outlines[0].mask, "/x/b.png");
}

TEST(Outlines, PublishedFolderNamesSayWhatIsWhat) {
  const Scratch scratch;
  for (const auto* name :
       {"train/07_CT_abdomen.png", "train/08_X-Ray_chest.png", "train/09_MRI_brain.png",
        "train_mask/07_CT_abdomen_left+kidney.png", "train_mask/07_CT_abdomen_liver.png",
        "train_mask/08_X-Ray_chest_COVID-19+infection.png"})
    write_file(scratch / name, "");
  const auto images = read_outlines(scratch.path());
  ASSERT_EQ(images.size(), 2U);  // one has no masks
  EXPECT_EQ(images[0].kind, "CT abdomen");
  EXPECT_EQ(images[0].outlines[0].prompt, "left kidney");
  EXPECT_EQ(images[1].outlines[0].prompt, "COVID-19 infection");
}

TEST(Outlines, ALabelSaysWhichPixelsOfAMask) {
  const Scratch scratch;
  write_file(scratch / "m.csv",
             "image,prompt,mask,label\na.nii.gz,liver,labels.nii.gz,6\na.nii.gz,all,b.nii.gz,\n");
  const auto outlines = read_outlines(scratch / "m.csv")[0].outlines;
  EXPECT_EQ(outlines[0].label, 6);
  EXPECT_TRUE(outlines[0].holds(6) && !outlines[0].holds(5) && !outlines[0].holds(0));
  EXPECT_TRUE(outlines[1].holds(6) && !outlines[1].holds(0));
  for (const auto* label : {"-1", "70000", "six"}) {
    write_file(scratch / "n.csv", std::string("image,prompt,mask,label\na,b,c,") + label + "\n");
    EXPECT_NE(refusal(scratch / "n.csv").find("row 1 has the label"), std::string::npos) << label;
  }
}

TEST(Outlines, WhatDoesNotFitIsNamed) {
  const Scratch scratch;
  write_file(scratch / "m.csv", "image,prompt,mask\na.png,,a.png\n");
  EXPECT_NE(refusal(scratch / "m.csv").find("row 1 lacks a prompt"), std::string::npos);
  write_file(scratch / "n.csv", "image,prompt,mask\n");
  EXPECT_NE(refusal(scratch / "n.csv").find("no outlined images"), std::string::npos);
  write_file(scratch / "d/train/a_CT_x.png", "");
  write_file(scratch / "d/train_mask/b_CT_x_liver.png", "");
  EXPECT_NE(refusal(scratch / "d").find("belongs to no image"), std::string::npos);
  write_file(scratch / "e/train/notes.txt", "");
  EXPECT_NE(refusal(scratch / "e").find("no PNG images"), std::string::npos);
}

}  // namespace
