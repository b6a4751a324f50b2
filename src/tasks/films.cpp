#include "tasks/films.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/hash.h"
#include "media/resize.h"
#include "recipes/film.h"

namespace vesalius::tasks {
namespace {

constexpr double kNearlySquare = 0.02;  // of the longer side
constexpr int kLeastSide = 64;
constexpr int kColourful = 24;  // steps between channels that no grey film has

bool contains(std::initializer_list<std::string_view> list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

/// What the header says against a chest film of this view.
std::string doubt_of(const media::DicomInfo& info, View view) {
  const std::string_view position = info.view_position;
  if (!contains({"CR", "DX", "DR", "RG", "XR", ""}, info.modality))
    return fmt::format("its modality is {}, not a radiograph's (CR, DX)", info.modality);
  if (view == View::kFrontal && contains({"LL", "RL", "LLD", "RLD", "LLO", "RLO"}, position))
    return fmt::format("its view position is {}, not frontal (PA, AP)", position);
  if (view == View::kLateral && contains({"PA", "AP", "PLD", "PRD", "ALD", "ARD"}, position))
    return fmt::format("its view position is {}, not lateral (LL, RL)", position);
  if (!contains({"CHEST", "THORAX", "PORT CHEST", "LUNG", ""}, info.body_part))
    return fmt::format("its body part is {}, not the chest", info.body_part);
  return {};
}

/// What its pixels say against it: colours, or nothing but one grey.
std::string doubt_of(const media::Image& rgb, const media::Image& grey) {
  if (std::min(grey.width, grey.height) < kLeastSide)
    return fmt::format("it has {} x {} pixels, too few for a film", grey.width, grey.height);
  const auto [least, most] = std::ranges::minmax(grey.data);
  if (least == most) return "all its pixels are the same";
  size_t coloured = 0;
  for (size_t i = 0; i + 2 < rgb.data.size(); i += 3) {
    const auto [low, high] = std::minmax({rgb.data[i], rgb.data[i + 1], rgb.data[i + 2]});
    coloured += high - low > kColourful ? 1 : 0;
  }
  if (coloured * 10 > grey.data.size()) return "it has colours, which no X-ray film has";
  return {};
}

at::Tensor pixels_of(const recipes::Prepared& square, const recipes::ModelInput& input) {
  auto pixels = at::empty({3, input.size, input.size}, at::kFloat);
  recipes::normalise(square, input, pixels.mutable_data_ptr<float>());
  return pixels;
}

/// The film in its own size, grey, with what speaks against it.
media::Image read_grey(PreparedFilm& made, Bytes bytes, const recipes::Recipe& recipe, View view) {
  const std::string& where = made.film.path;
  if (!media::looks_like_dicom(bytes)) {
    const auto image = media::decode_image(bytes, where);
    if (image.orientation != 1)
      made.warnings.push_back(
          "its EXIF entry says that it lies on its side; it is read as it is stored, as the "
          "published code does");
    auto grey = recipes::film(recipe, image);
    made.doubt = doubt_of(media::to_rgb(image), grey);
    return grey;
  }
  const auto file = media::DicomFile::parse(bytes, where);
  made.film.dicom = file.frame_info(0);
  if (file.info().frames > 1)
    made.warnings.push_back(fmt::format("of its {} frames the first is read", file.info().frames));
  auto grey = recipes::film(recipe, file, where);
  made.doubt = doubt_of(*made.film.dicom, view);
  if (made.doubt.empty()) made.doubt = doubt_of(media::to_rgb(grey), grey);
  return grey;
}

}  // namespace

PreparedFilm read_film(const fs::path& path, const recipes::Recipe& recipe,
                       const recipes::ModelInput& input, View view) {
  PreparedFilm made;
  made.film.path = path.string();
  const auto file = MappedFile::open(path);
  if (file->bytes().empty())
    fail(ErrorCode::kUnsupported, "{}: is empty; there is no film in it.", path.string());
  const auto grey = read_grey(made, file->bytes(), recipe, view);
  auto square = recipes::film_square(recipe, input, grey);
  made.key = fnv1a64({reinterpret_cast<const char*>(square.data.data()), square.data.size()});
  made.pixels = pixels_of({std::move(square.data), input.size, {}}, input);
  made.film.shown = media::to_rgb(grey);
  return made;
}

std::string unseen_of(const Film& film) {
  const int width = film.shown.width, height = film.shown.height;
  const int longer = std::max(width, height), beyond = longer - std::min(width, height);
  if (beyond <= kNearlySquare * longer) return {};
  return fmt::format(
      "the model sees the middle square alone: findings in the outer {:.0f} % at the {} are missed "
      "or get no box",
      50.0 * beyond / longer, width > height ? "left and right" : "top and bottom");
}

}  // namespace vesalius::tasks
