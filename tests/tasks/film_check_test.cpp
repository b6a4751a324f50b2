#include "tasks/film_check.h"

#include <gtest/gtest.h>

#include "tasks/fake_model.h"
#include "tasks/scratch.h"

namespace vesalius::tasks {
namespace {

PreparedFilm film_of(const char* modality, const char* part) {
  PreparedFilm film;
  film.film.dicom.emplace();
  film.film.dicom->modality = modality;
  film.film.dicom->body_part = part;
  return film;
}

TEST(FilmCheck, AHeaderVouchesForModalityAndPart) {
  EXPECT_TRUE(header_vouches(film_of("DX", "CHEST")));
  EXPECT_FALSE(header_vouches(film_of("DX", "")));
  EXPECT_FALSE(header_vouches(film_of("", "CHEST")));
  EXPECT_FALSE(header_vouches({}));
  auto doubted = film_of("CT", "CHEST");
  doubted.doubt = "its modality is CT";
  EXPECT_FALSE(header_vouches(doubted));
}

/// Whose vector of every picture is that of some words.
class Decided : public testing::FakeModel {
 public:
  explicit Decided(std::string words) : words_(std::move(words)) {}
  at::Tensor embed_images(const at::Tensor& pixels) const override {
    return embed_texts({words_}).expand({pixels.size(0), kDimension});
  }

 private:
  std::string words_;
};

TEST(FilmCheck, NamesWhatItLooksLike) {
  const testing::Scratch scratch;
  const auto path = scratch.write("film.tif", testing::tiny_tiff(testing::pixels(3)));
  const Decided film("x-ray"), slice("magnetic resonance imaging");
  const LabelGroup words{.labels = {"x-ray", "magnetic resonance imaging"}};
  EXPECT_EQ(FilmCheck(film, words).doubt_of(path), "");
  EXPECT_EQ(FilmCheck(slice, words).doubt_of(path),
            "to fake it looks like magnetic resonance imaging");
}

}  // namespace
}  // namespace vesalius::tasks
