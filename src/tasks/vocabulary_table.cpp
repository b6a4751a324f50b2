// Targets by kind of image: utilities/constants.py of microsoft/BiomedParse and the model card of
// MedImageParse. The words are those of training, misspellings too.
#include "tasks/vocabulary.h"

namespace vesalius::tasks {
namespace {

using Words = std::vector<std::string>;

Words abdominal_ct() {
  return {"postcava",
          "aorta",
          "right kidney",
          "left kidney",
          "duodenum",
          "pancreas",
          "liver",
          "spleen",
          "stomach",
          "gallbladder",
          "left adrenal gland",
          "right adrenal gland",
          "esophagus"};
}

Words abdominal_mri() {
  return {"aorta",       "postcava", "right kidney",       "duodenum",
          "left kidney", "liver",    "pancreas",           "gallbladder",
          "stomach",     "spleen",   "left adrenal gland", "right adrenal gland",
          "esophagus"};
}

std::vector<ImageKind> ct_kinds() {
  return {
      {"CT-Abdomen",
       "CT",
       "abdomen",
       abdominal_ct(),
       {"adrenal gland", "kidney", "bladder", "kidney cyst", "kidney tumor", "tumor"}},
      {"CT-Chest", "CT", "chest", {"nodule", "COVID-19 infection", "tumor"}, {}},
      {"CT-Liver", "CT", "liver", {"vessel", "tumor"}, {"liver"}},
  };
}

std::vector<ImageKind> mri_kinds() {
  return {
      {"MRI-Abdomen", "MRI", "abdomen", abdominal_mri(), {"adrenal gland", "kidney"}},
      {"MRI-Cardiac",
       "MRI",
       "cardiac",
       {"left heart ventricle", "myocardium", "right heart ventricle"},
       {}},
      {"MRI-FLAIR-Brain",
       "FLAIR MRI",
       "brain",
       {"edema", "tumor core"},
       {"whole tumor", "lower-grade glioma", "tumor"}},
      {"MRI-T1-Gd-Brain",
       "T1-Gd MRI",
       "brain",
       {"enhancing tumor", "non-enhancing tumor"},
       {"tumor core"}},
  };
}

std::vector<ImageKind> projection_and_light_kinds() {
  return {
      {"Pathology",
       "pathology",
       "",
       {"connective tissue cells", "inflammatory cells", "neoplastic cells", "epithelial cells"},
       {"glandular structure"}},
      {"X-Ray-Chest",
       "X-Ray",
       "chest",
       {"left lung", "right lung"},
       {"lung", "COVID-19 infection", "lung opacity", "viral pneumonia"}},
      {"Ultrasound-Cardiac",
       "ultrasound",
       "cardiac",
       {"left heart atrium", "left heart ventricle"},
       {}},
      {"Endoscopy", "endoscope", "colon", {"neoplastic polyp", "non-neoplastic polyp"}, {"polyp"}},
      {"Fundus", "fundus", "retinal", {"optic cup", "optic disc"}, {}},
      {"Dermoscopy", "dermoscopy", "skin", {"lesion"}, {"melanoma"}},
      {"OCT", "OCT", "retinal", {"edema"}, {}},
  };
}

std::vector<ImageKind> kinds_without_recognition() {
  return {
      {"CT-Colon", "CT", "colon", {}, {"tumor"}},
      {"CT-Pelvis", "CT", "pelvis", {}, {"uterus"}},
      {"MRI-Brain", "MRI", "brain", {}, {"anterior hippocampus", "posterior hippocampus"}},
      {"MRI-T2-Prostate",
       "T2 MRI",
       "prostate",
       {},
       {"prostate transitional zone", "prostate peripheral zone"}},
      {"Ultrasound-Breast",
       "ultrasound",
       "breast",
       {},
       {"tumor", "benign tumor", "malignant tumor"}},
      {"Ultrasound-Transperineal",
       "ultrasound",
       "transperineal",
       {},
       {"public symphysis", "fetal head"}},
  };
}

}  // namespace

const std::vector<ImageKind>& image_kinds() {
  static const std::vector<ImageKind> kinds = [] {
    std::vector<ImageKind> all;
    for (auto* part : {ct_kinds, mri_kinds, projection_and_light_kinds, kinds_without_recognition})
      for (auto& kind : part()) all.push_back(std::move(kind));
    return all;
  }();
  return kinds;
}

}  // namespace vesalius::tasks
