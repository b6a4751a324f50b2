#include "tasks/vocabulary.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace vesalius::tasks {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

/// Capitals without what stands between words.
std::string bare(std::string_view key) {
  std::string result = upper(key);
  std::erase_if(result, [](char c) { return c == '-' || c == '_' || c == ' '; });
  return result;
}

/// A row of the map from DICOM: `modality` is exact, the others are met anywhere in body part or
/// description; empty ones always fit.
struct DicomRule {
  std::string_view modality, shown, how, key;
};

// The first row that fits counts, so what is narrow stands before what is wide. Body parts are the
// defined terms of PS3.16 annex L, as far as they occur in practice, by what they have in common.
constexpr DicomRule kRules[] = {
    {"CT", "LIVER", "", "CT-Liver"},
    {"CT", "COLON", "", "CT-Colon"},
    {"CT", "ABD", "", "CT-Abdomen"},
    {"CT", "KIDNEY", "", "CT-Abdomen"},
    {"CT", "PANCREAS", "", "CT-Abdomen"},
    {"CT", "SPLEEN", "", "CT-Abdomen"},
    {"CT", "STOMACH", "", "CT-Abdomen"},
    {"CT", "CHEST", "", "CT-Chest"},
    {"CT", "THORA", "", "CT-Chest"},
    {"CT", "LUNG", "", "CT-Chest"},
    {"CT", "PELVI", "", "CT-Pelvis"},
    {"CT", "UTERUS", "", "CT-Pelvis"},
    {"MR", "PROSTATE", "", "MRI-T2-Prostate"},
    {"MR", "HEART", "", "MRI-Cardiac"},
    {"MR", "CARD", "", "MRI-Cardiac"},
    {"MR", "ABD", "", "MRI-Abdomen"},
    {"MR", "LIVER", "", "MRI-Abdomen"},
    {"MR", "KIDNEY", "", "MRI-Abdomen"},
    {"MR", "PANCREAS", "", "MRI-Abdomen"},
    {"MR", "BRAIN", "FLAIR", "MRI-FLAIR-Brain"},
    {"MR", "HEAD", "FLAIR", "MRI-FLAIR-Brain"},
    {"MR", "BRAIN", "GD", "MRI-T1-Gd-Brain"},
    {"MR", "HEAD", "GD", "MRI-T1-Gd-Brain"},
    {"MR", "BRAIN", "T1C", "MRI-T1-Gd-Brain"},
    {"MR", "HEAD", "T1C", "MRI-T1-Gd-Brain"},
    {"MR", "BRAIN", "T1 POST", "MRI-T1-Gd-Brain"},
    {"MR", "HEAD", "T1 POST", "MRI-T1-Gd-Brain"},
    {"MR", "BRAIN", "", "MRI-Brain"},
    {"MR", "HEAD", "", "MRI-Brain"},
    {"CR", "CHEST", "", "X-Ray-Chest"},
    {"CR", "THORA", "", "X-Ray-Chest"},
    {"CR", "LUNG", "", "X-Ray-Chest"},
    {"DX", "CHEST", "", "X-Ray-Chest"},
    {"DX", "THORA", "", "X-Ray-Chest"},
    {"DX", "LUNG", "", "X-Ray-Chest"},
    {"RG", "CHEST", "", "X-Ray-Chest"},
    {"US", "HEART", "", "Ultrasound-Cardiac"},
    {"US", "CARD", "", "Ultrasound-Cardiac"},
    {"US", "BREAST", "", "Ultrasound-Breast"},
    {"US", "FETUS", "", "Ultrasound-Transperineal"},
    {"US", "PERINE", "", "Ultrasound-Transperineal"},
    {"ES", "", "", "Endoscopy"},
    {"OP", "", "", "Fundus"},
    {"OPT", "", "", "OCT"},
    {"OCT", "", "", "OCT"},
    {"SM", "", "", "Pathology"},
    {"GM", "", "", "Pathology"},
    {"DMS", "", "", "Dermoscopy"},
    {"XC", "SKIN", "", "Dermoscopy"},
};

}  // namespace

const ImageKind* kind_in_words(std::string_view words) {
  const std::string asked = bare(words);
  for (const auto& kind : image_kinds()) {
    const bool any_site = kind.site.empty() && asked.starts_with(bare(kind.modality));
    if (asked == bare(kind.key) || asked == bare(kind.modality + kind.site) || any_site)
      return &kind;
  }
  return nullptr;
}

const ImageKind& image_kind(std::string_view key) {
  if (const ImageKind* kind = kind_in_words(key)) return *kind;
  std::string known;
  for (const auto& kind : image_kinds()) known += (known.empty() ? "" : ", ") + kind.key;
  fail(ErrorCode::kUsage, "'{}' is no kind of image that has a list of targets. There are: {}.",
       key, known);
}

const std::vector<std::string>& targets_to_try(const ImageKind& kind) {
  return kind.recognised.empty() ? kind.further : kind.recognised;
}

const ImageKind* kind_of(const ImageHints& hints) {
  const std::string modality = upper(hints.modality), how = upper(hints.description);
  // What is said in so many words goes before a description, which may name other things too.
  for (const std::string& shown : {upper(hints.body_part), how})
    for (const DicomRule& rule : kRules)
      if (modality == rule.modality && shown.find(rule.shown) != std::string::npos &&
          how.find(rule.how) != std::string::npos)
        return &image_kind(rule.key);
  return nullptr;
}

}  // namespace vesalius::tasks
