#include "tasks/outline_store.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "media/image.h"
#include "media/resize.h"
#include "tasks/mask_files.h"
#include "tasks/outlined_volume.h"
#include "tasks/planes.h"

namespace vesalius::tasks {
namespace {

media::Image open_rgb(const fs::path& file) {
  return media::to_rgb(media::decode_image(read_file(file), file.string()));
}

/// x [..., rows, columns] as pictures lie on a plane: version 2 makes them square, 1 does not.
at::Tensor laid_out(const at::Tensor& x, const PlaneForm& form) {
  const auto way = form.version == 1 ? PlaneWay::kPictureV1 : PlaneWay::kPictureV2;
  return padded(x, layout_of(way, x.size(-2), x.size(-1), form.side).padding);
}

at::Tensor planes_of(const media::Image& image) {
  const auto flat = at::from_blob(const_cast<uint8_t*>(image.data.data()),
                                  {image.height, image.width, 3}, at::kByte);
  return flat.permute({2, 0, 1}).clone();
}

at::Tensor read_pixels(const OutlinedImage& image, const PlaneForm& form) {
  auto x = planes_of(open_rgb(image.image));
  if (image.slices) x = x.flip(0);  // OpenCV writes blue, green, red
  if (image.slices && form.version == 1) x = x.narrow(0, 0, 1).repeat({3, 1, 1});
  const auto square = laid_out(x, form).to(at::kFloat).unsqueeze(0);
  const auto y = at::_upsample_bicubic2d_aa(square, {form.side, form.side},
                                            /*align_corners=*/false);
  return y[0].round().clamp(0, 255).to(at::kByte);
}

using LabelFiles = std::map<fs::path, media::LabelVolume>;  // each read once

/// Where a target is: any sample that is not zero, or its label.
at::Tensor read_target(const Outline& outline, LabelFiles& files) {
  if (outline.label == 0) return planes_of(open_rgb(outline.mask)).amax(0).ne(0);
  if (!files.contains(outline.mask)) files.emplace(outline.mask, read_mask(outline.mask));
  const auto& mask = files.at(outline.mask);
  const auto& size = mask.grid.size;
  auto there = at::empty({size[1], size[0]}, at::kByte);
  std::ranges::transform(mask.labels, there.data_ptr<uint8_t>(),
                         [&](uint16_t value) { return outline.holds(value) ? 1 : 0; });
  return there;
}

bool names_a_side(const std::string& prompt) {
  const std::string words = lowered(prompt);
  return words.find("left") != std::string::npos || words.find("right") != std::string::npos;
}

bool is_picture(const fs::path& file) {
  static const std::set<std::string> endings{".png", ".jpg", ".jpeg", ".tif", ".tiff"};
  return endings.contains(lowered(file.extension().string()));
}

std::vector<OutlinedSample> read_samples(const OutlinedImage& image, const PlaneForm& form) {
  if (!is_picture(image.image)) return read_outlined_volume(image, form);
  return {read_outlined_picture(image, form)};
}

}  // namespace

OutlinedSample::OutlinedSample(const OutlinedImage& image, at::Tensor planes)
    : pixels(std::move(planes)),
      masks(at::zeros({0, pixels.size(1), pixels.size(2)}, at::kByte)),
      kind(image.kind),
      name(image.image.string()),
      weight(image.weight),
      slices(image.slices) {}

void OutlinedSample::add(const Outline& outline, const at::Tensor& mask) {
  const bool there = mask.defined() && mask.any().item<bool>();
  (there ? present : absent).push_back(outline.prompt);
  if (there) masks = at::cat({masks, mask.unsqueeze(0)});
  sided = sided || names_a_side(outline.prompt);
}

at::Tensor plane_mask(const at::Tensor& mask, int64_t side) {
  const auto x = mask.to(at::kFloat).unsqueeze(0).unsqueeze(0);
  const auto share = at::adaptive_avg_pool2d(x, {side, side})[0][0];
  const auto half = share >= 0.5;
  return (half.any().item<bool>() ? half : share > 0).to(at::kByte);
}

OutlinedSample read_outlined_picture(const OutlinedImage& image, const PlaneForm& form) {
  OutlinedSample sample(image, read_pixels(image, form));
  LabelFiles files;
  for (const Outline& outline : image.outlines) {
    at::Tensor mask;
    if (!outline.mask.empty())
      mask = plane_mask(laid_out(read_target(outline, files), form), form.side);
    sample.add(outline, mask);
  }
  return sample;
}

OutlineStore::OutlineStore(const std::vector<OutlinedImage>& images, const PlaneForm& form,
                           bool quiet) {
  std::vector<std::vector<OutlinedSample>> read(images.size());
  {
    Progress progress("Reading images", static_cast<int64_t>(images.size()), quiet);
    parallel_for(static_cast<int64_t>(images.size()), [&](int64_t i) {
      const c10::NoGradGuard no_grad;
      try {
        read[i] = read_samples(images[i], form);
      } catch (const Error& problem) {
        warn(problem.what());
      }
      progress.advance();
    });
  }
  for (auto& one : read) std::ranges::move(one, std::back_inserter(samples_));
  if (samples_.empty())
    fail(ErrorCode::kUnsupported, "none of the {} images can be read; the lines above say why.",
         images.size());
  learn_words(images);
}

void OutlineStore::learn_words(const std::vector<OutlinedImage>& images) {
  std::map<std::string, std::set<std::string>> prompts, others;
  for (const OutlinedSample& sample : samples_) {
    prompts[sample.kind].insert(sample.present.begin(), sample.present.end());
    prompts[sample.kind].insert(sample.absent.begin(), sample.absent.end());
  }
  for (const OutlinedImage& image : images)
    for (const Outline& outline : image.outlines)
      others[outline.prompt].insert(outline.phrasings.begin(), outline.phrasings.end());
  for (const auto& [kind, names] : prompts) vocabulary_[kind].assign(names.begin(), names.end());
  for (const auto& [name, words] : others) phrasings_[name].assign(words.begin(), words.end());
}

const std::vector<std::string>& OutlineStore::phrasings(const std::string& prompt) const {
  static const std::vector<std::string> none;
  const auto found = phrasings_.find(prompt);
  return found == phrasings_.end() ? none : found->second;
}

}  // namespace vesalius::tasks
