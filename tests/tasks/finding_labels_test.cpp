#include "tasks/finding_labels.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>

#include "base/json.h"

namespace vesalius::tasks {
namespace {

struct Case {
  const char* sentence;
  const char* labels;  // "Pleural Effusion+, Edema-, Pneumonia?"
};

std::string text_of(const std::vector<FindingLabel>& labels) {
  std::string out;
  for (const FindingLabel& label : labels) {
    const char sign = label.polarity == "present" ? '+' : label.polarity == "absent" ? '-' : '?';
    out += (out.empty() ? "" : ", ") + label.name + sign;
  }
  return out;
}

constexpr Case kCases[] = {
    // There.
    {"There is a small left pleural effusion.", "Pleural Effusion+"},
    {"No change in the effusion.", "Pleural Effusion+"},
    {"No significant interval change in the right pleural effusion.", "Pleural Effusion+"},
    {"Bilateral effusions, unchanged.", "Pleural Effusion+"},
    {"The heart is enlarged.", "Cardiomegaly+"},
    {"Moderate cardiomegaly is seen.", "Cardiomegaly+"},
    {"The cardiac silhouette is moderately enlarged.", "Cardiomegaly+"},
    {"Widening of the mediastinum.", "Enlarged Cardiomediastinum+"},
    {"The mediastinum is widened.", "Enlarged Cardiomediastinum+"},
    {"Patchy opacity in the right lower lobe.", "Lung Opacity+"},
    {"Increased interstitial markings.", "Lung Opacity+"},
    {"A 3.5 cm mass in the left upper lobe.", "Lung Lesion+"},
    {"Calcified nodules in both lungs.", "Lung Lesion+"},
    {"Mild pulmonary edema.", "Edema+"},
    {"Pulmonary vascular congestion persists.", "Edema+"},
    {"Consolidation of the lingula.", "Consolidation+"},
    {"Findings consistent with pneumonia.", "Pneumonia+"},
    {"Bibasilar atelectasis.", "Atelectasis+"},
    {"Tiny right apical pneumothorax.", "Pneumothorax+"},
    {"The pneumothorax has not resolved.", "Pneumothorax+"},
    {"The pneumothorax has partially resolved.", "Pneumothorax+"},
    {"Apical pleural thickening.", "Pleural Other+"},
    {"Calcified pleural plaques.", "Pleural Other+"},
    {"Healed fracture of the sixth rib.", "Fracture+"},
    {"Endotracheal tube ends 4 cm above the carina.", "Support Devices+"},
    {"Right PICC terminates in the SVC.", "Support Devices+"},
    {"Dual-lead pacemaker in place.", "Support Devices+"},
    // Not there.
    {"Heart size is normal.", "Cardiomegaly-"},
    {"The heart is not enlarged.", "Cardiomegaly-"},
    {"Normal heart size.", "Cardiomegaly-"},
    {"The cardiac silhouette is within normal limits.", "Cardiomegaly-"},
    {"The cardiomediastinal silhouette is unremarkable.",
     "Enlarged Cardiomediastinum-, Cardiomegaly-"},
    {"Pneumothorax has resolved.", "Pneumothorax-"},
    {"Complete resolution of the pneumothorax.", "Pneumothorax-"},
    {"No pneumothorax.", "Pneumothorax-"},
    {"No focal consolidation, pleural effusion, or pneumothorax.",
     "Consolidation-, Pneumothorax-, Pleural Effusion-"},
    {"There is no evidence of pulmonary edema.", "Edema-"},
    {"Without pleural effusion.", "Pleural Effusion-"},
    {"The lungs are free of consolidation.", "Consolidation-"},
    {"Lungs are clear.", "Lung Opacity-"},
    {"Negative for pneumonia.", "Pneumonia-"},
    {"A pneumothorax is not seen.", "Pneumothorax-"},
    {"Effusion is no longer visible.", "Pleural Effusion-"},
    {"The chest tube has been removed.", "Support Devices-"},
    {"Neither effusion nor pneumothorax is seen.", "Pneumothorax-, Pleural Effusion-"},
    {"The costophrenic angles are sharp.", "Pleural Effusion-"},
    {"No displaced rib fractures.", "Fracture-"},
    {"No suspicious pulmonary nodule.", "Lung Lesion-"},
    {"No opacity suggestive of pneumonia.", "Lung Opacity-, Pneumonia-"},
    {"No effusion or consolidation to suggest pneumonia.",
     "Consolidation-, Pneumonia-, Pleural Effusion-"},
    {"The lungs are clear of airspace disease and effusion.", "Lung Opacity-, Pleural Effusion-"},
    {"Heart size and mediastinal contours are within normal limits.",
     "Enlarged Cardiomediastinum-, Cardiomegaly-"},
    {"The heart size and pulmonary vascularity appear within normal limits.", "Cardiomegaly-"},
    {"Normal cardiac silhouette without mediastinal widening.",
     "Enlarged Cardiomediastinum-, Cardiomegaly-"},
    {"The pleural spaces are clear.", "Pleural Effusion-"},
    // What is not all right is there.
    {"The lungs are not clear.", "Lung Opacity+"},
    {"The heart is not normal in size.", "Cardiomegaly+"},
    {"No lobar pneumonia, heart size is normal.", "Cardiomegaly-, Pneumonia-"},
    // Perhaps there.
    {"It is difficult to exclude a small effusion.", "Pleural Effusion?"},
    {"CT is advised to exclude a mass.", "Lung Lesion?"},
    {"Findings suspicious for pneumonia.", "Pneumonia?"},
    {"Heart size is top normal.", "Cardiomegaly?"},
    {"The cardiomediastinal silhouette is at the upper limits of normal.",
     "Enlarged Cardiomediastinum?, Cardiomegaly?"},
    {"Possible small left effusion.", "Pleural Effusion?"},
    {"Pneumonia cannot be excluded.", "Pneumonia?"},
    {"Cannot exclude a small effusion.", "Pleural Effusion?"},
    {"Pneumonia is not excluded.", "Pneumonia?"},
    {"Atelectasis versus pneumonia.", "Pneumonia?, Atelectasis?"},
    {"This may represent atelectasis.", "Atelectasis?"},
    {"Findings suggest mild edema.", "Edema?"},
    {"Heart size is at the upper limits of normal.", "Cardiomegaly?"},
    {"The cardiac silhouette is at the upper limits of normal.", "Cardiomegaly?"},
    {"Small effusions are hard to exclude.", "Pleural Effusion?"},
    {"Borderline cardiomegaly.", "Cardiomegaly?"},
    {"Pneumonia is unlikely.", "Pneumonia?"},
    {"Concerning for pneumonia in the appropriate clinical setting.", "Pneumonia?"},
    {"Blunting of the left costophrenic angle.", "Pleural Effusion?"},
    {"Rule out pneumothorax", "Pneumothorax?"},
    // Several at once.
    {"Opacity at the left base may represent pneumonia.", "Lung Opacity+, Pneumonia?"},
    {"Opacity, possibly atelectasis, without effusion.",
     "Lung Opacity+, Atelectasis?, Pleural Effusion-"},
    {"No effusion, but there is a small pneumothorax.", "Pneumothorax+, Pleural Effusion-"},
    {"No effusion; the heart is enlarged.", "Cardiomegaly+, Pleural Effusion-"},
    {"No effusion, the heart is enlarged.", "Cardiomegaly+, Pleural Effusion-"},
    {"The effusion persists and the pneumothorax has resolved.",
     "Pneumothorax-, Pleural Effusion+"},
    {"Effusion is not seen, edema is present.", "Edema+, Pleural Effusion-"},
    {"Enlarged heart without edema.", "Cardiomegaly+, Edema-"},
    {"Right hydropneumothorax.", "Pneumothorax+, Pleural Effusion+"},
    // All well, and nothing of the kind.
    {"No acute cardiopulmonary process.", "No Finding+"},
    {"Normal chest radiograph.", "No Finding+"},
    {"No radiographic evidence of acute cardiopulmonary disease.", "No Finding+"},
    {"No acute osseous abnormality.", ""},
    {"The chest film shows a normal aorta.", ""},
    {"Small pericardial effusion.", ""},
    {"The patient is rotated.", ""},
    {"", ""},
};

TEST(FindingLabels, Sentences) {
  for (const Case& one : kCases) {
    EXPECT_EQ(text_of(label_sentence(one.sentence)), one.labels) << one.sentence;
  }
}

TEST(FindingLabels, ReportsAreAddedUpAsChexpertDoes) {
  EXPECT_EQ(text_of(label_report("No effusion. Possible effusion.")), "Pleural Effusion?");
  EXPECT_EQ(text_of(label_report("No effusion. Small effusion.")), "Pleural Effusion+");
  EXPECT_EQ(text_of(label_report("Possible effusion\nSmall effusion")), "Pleural Effusion+");
  EXPECT_EQ(text_of(label_report("A 3.5 cm mass. No effusion.")),
            "Lung Lesion+, Pleural Effusion-");
}

TEST(FindingLabels, NoFindingIsWhatIsLeft) {
  EXPECT_EQ(text_of(label_report("Heart size is normal. Endotracheal tube in place.")),
            "Cardiomegaly-, Support Devices+, No Finding+");
  EXPECT_EQ(text_of(label_report("No acute cardiopulmonary process. Possible nodule.")),
            "Lung Lesion?");
  EXPECT_EQ(text_of(label_report("The patient is rotated.")), "No Finding+");
  EXPECT_EQ(text_of(label_report(" \n")), "");
}

/// Reports of the Open-i collection (Indiana University).
TEST(FindingLabels, RealReports) {
  const fs::path path = fs::path(VESALIUS_SOURCE_DIR) / "../shared/data/text/chest_reports.json";
  if (!fs::exists(path)) GTEST_SKIP() << "../shared/data/text is not there";
  const Json reports = read_json(path);
  std::map<std::string, int> counts;
  for (const auto& [image, text] : reports.items()) {
    const auto labels = label_report(text.get<std::string>());
    ASSERT_FALSE(labels.empty()) << text;
    const bool healthy = labels.back().name == "No Finding";
    for (const FindingLabel& label : labels) {
      ++counts[text_of({label})];
      const bool counted = label.name != "No Finding" && label.name != "Support Devices";
      EXPECT_FALSE(healthy && counted && label.polarity != "absent") << text;
    }
  }
  for (const auto& [label, count] : counts) std::printf("  %-30s %5d\n", label.c_str(), count);
  // Nearly every report speaks of the heart's size, of effusions and of pneumothorax.
  const auto share = [&](const std::string& name) {
    return static_cast<double>(counts[name + "+"] + counts[name + "-"] + counts[name + "?"]) /
           static_cast<double>(reports.size());
  };
  EXPECT_GT(share("Cardiomegaly"), 0.75);
  EXPECT_GT(share("Pleural Effusion"), 0.75);
  EXPECT_GT(share("Pneumothorax"), 0.65);
}

TEST(FindingLabels, FourteenNames) {
  ASSERT_EQ(label_names().size(), 14U);
  EXPECT_EQ(label_names()[9], "Pleural Effusion");
  EXPECT_EQ(label_names().back(), "No Finding");
}

TEST(FindingLabels, TemporalWords) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(temporal_words("New opacity, increased since the prior."),
            (Words{"new", "increased", "since the prior"}));
  EXPECT_EQ(temporal_words("Stable cardiomegaly; edema has improved."),
            (Words{"stable", "improved"}));
  EXPECT_EQ(temporal_words("No interval change."), Words{"no interval change"});
  EXPECT_EQ(temporal_words("Unchanged and worsening effusions"), (Words{"unchanged", "worsening"}));
  EXPECT_EQ(temporal_words("No previous images are available."), Words{});
  EXPECT_EQ(temporal_words("No prior films; new opacity."), Words{"new"});
  EXPECT_EQ(temporal_words("There is a small left effusion."), Words{});
}

}  // namespace
}  // namespace vesalius::tasks
