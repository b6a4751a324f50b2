// CLIP's tokenizer from its merges alone is the one from the published folder's layout.
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "text/clip_files.h"
#include "text/clip_tokenizer.h"

using namespace vesalius;
using text::ClipTokenizer;

namespace {

const fs::path kMerges = fs::path(VESALIUS_SOURCE_DIR) / "catalog/clip/merges.txt";

TEST(Merges, AreEnoughForClipsOwnTokenizer) {
  const fs::path folder =
      fs::temp_directory_path() / ("vesalius-merges-" + std::to_string(::getpid()));
  text::write_clip_tokenizer(folder, kMerges);
  const auto published = ClipTokenizer::load(folder), ours = ClipTokenizer::of_merges(kMerges);
  EXPECT_EQ(ours.vocabulary(), 49408);
  EXPECT_EQ(ours.begin(), published.begin());
  EXPECT_EQ(ours.end(), published.end());
  for (const char* words : {"liver", "left kidney", "public symphysis", "", "Größe µm 像 ½"})
    EXPECT_EQ(ours.encode(words), published.encode(words)) << words;
  EXPECT_EQ(ours.encode("left kidney"), (std::vector<int32_t>{49406, 1823, 14610, 49407}));
  fs::remove_all(folder);
}

TEST(Merges, ThatAreMissingAreNamed) {
  try {
    ClipTokenizer::of_merges("nowhere/merges.txt");
    ADD_FAILURE() << "nothing was refused";
  } catch (const Error& problem) {
    EXPECT_NE(std::string(problem.what()).find("nowhere/merges.txt"), std::string::npos);
  }
}

}  // namespace
