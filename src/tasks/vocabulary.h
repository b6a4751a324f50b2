// What BiomedParse and MedImageParse know by name: modality keys, their targets, and which key fits
// a DICOM image.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vesalius::tasks {

/// One kind of image. `key`, `recognised`: the lists that BiomedParse looks through when it is
/// asked for everything (BIOMED_OBJECTS), empty for kinds that it has none for. `further`: what the
/// model card of MedImageParse recommends beside these, parts and wholes that would overlap them.
struct ImageKind {
  std::string key;             // "CT-Abdomen"
  std::string modality, site;  // as in the sentences of training, "liver in abdomen CT"
  std::vector<std::string> recognised, further;
};

/// All kinds, in the published order; those without a recognition list last.
const std::vector<ImageKind>& image_kinds();

/// The kind of a key, whatever its case, with '-', '_' or blanks between its words. Error kUsage
/// for an unknown one, listing the keys.
const ImageKind& image_kind(std::string_view key);

/// The kind that a key or the words of a training image, "CT abdomen", mean; nothing for others.
const ImageKind* kind_in_words(std::string_view words);

/// What `segment --all` asks for: `recognised`, else `further`.
const std::vector<std::string>& targets_to_try(const ImageKind& kind);

/// What a DICOM header says of what is shown; case does not matter.
struct ImageHints {
  std::string modality;     // (0008,0060)
  std::string body_part;    // (0018,0015)
  std::string description;  // of the series, study or protocol, as there is
};

/// The kind that these fit; nothing when they do not say enough (a CT of no body part).
const ImageKind* kind_of(const ImageHints& hints);

}  // namespace vesalius::tasks
