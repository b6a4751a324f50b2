// Augmentations of embedding training: random crop, TrivialAugmentWide (arXiv 2103.10158), erasing.
#pragma once

#include <string>

#include "media/image.h"
#include "tasks/random.h"

namespace vesalius::tasks {

/// What may happen to a training image. The defaults are those of the published configuration.
struct Augmentation {
  double scale_min = 0.8, scale_max = 1.0;      // area of the crop
  double ratio_min = 0.75, ratio_max = 4. / 3;  // its width over height
  bool trivial = true;                          // one random operation of TrivialAugmentWide
  double erase = 0.25;  // probability of RandomErasing, 2 % to 33 % of the area
  double flip = 0;      // probability of mirroring
  double rotate = 0;    // at most so many degrees, half of the time
  double tone = 0;      // gamma, contrast and brightness jitter; 1 is strong
  double shrink = 0;    // probability of being set smaller on black, as scanners pad their images
  double hue = 0;       // largest turn of colours about grey, as a share of the half circle
  double hard = 0;      // probability that the image is changed far more, see hard_augmentation()
};

/// Crops down to a sixth, other colours, black margins: pictures as another scanner, stain or
/// workstation might have made them.
Augmentation hard_augmentation();

/// "published", "gentle" (for small sets: crops, turns, tones, mirror), "varied" (gentle, every
/// fifth image hard) or "none". Error kUsage otherwise.
Augmentation make_augmentation(const std::string& name);

/// An RGB image -> RGB of `size` x `size`. The same random state gives the same pixels.
media::Image augment(const media::Image& image, int size, const Augmentation& how,
                     KeyedRandom& random);

/// Where an affine map reads: out(x, y) = in(a x + b y + c, d x + e y + f), nearest; black outside.
struct Affine {
  double a = 1, b = 0, c = 0, d = 0, e = 1, f = 0;
};
media::Image transform(const media::Image& image, const Affine& map);
/// Turned counter-clockwise about the centre, black outside.
media::Image rotate(const media::Image& image, double degrees);

/// One operation of TrivialAugmentWide, by its number in [0, kTrivialOperations), strength in [0,
/// 1], sign +-1.
inline constexpr int kTrivialOperations = 14;
media::Image trivial_operation(const media::Image& image, int operation, double strength, int sign);

}  // namespace vesalius::tasks
