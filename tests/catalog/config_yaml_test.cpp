#include "catalog/config_yaml.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"

using namespace vesalius;
using catalog::parse_config;
using catalog::write_config;

namespace {

/// As the release spells it, trainer keys and all.
constexpr const char* kPublished = R"(
##################
# Resume
##################
VERBOSE: true
TRAIN: true
START_LEARNING_RATE: 0.00001
OPTIMIZER_PARAMS: {weight_decay: 0.2}
CUSTOMIZED_PARAMS_CONF:
  NO_WEIGHT_DECAY_MODULES: ['LayerNorm', 'BatchNorm2d']
LANG_ENCODER:
  NAME: 'transformer'
  TOKENIZER: 'clip'
  CONTEXT_LENGTH: 77
  WIDTH: 1024
  HEADS: 16
  LAYERS: 16
  AUTOGRESSIVE: false
  KEY_PADDING_TOKEN: true
  PRETRAINED_TOKENIZER: 'language_model/clip_tokenizer_4.16.2'
IMAGE_ENCODER:
  NAME: 'davit_v1'
  NUM_CLASSES: 0
  IMAGE_SIZE: [480, 480]
  LOAD_PRETRAINED: true
  PRETRAINED: ''
  PRETRAINED_LAYERS: '*'
  IMAGE_MEAN: [0.485, 0.456, 0.406]
  IMAGE_STD: [0.229, 0.224, 0.225]
  SPEC:
    DROP_RATE: 0.1
    DROP_PATH_RATE: 0.2
    PATCH_SIZE: [7, 3, 3, 3]
    PATCH_STRIDE: [4, 2, 2, 2]
    PATCH_PADDING: [3, 1, 1, 1]
    PATCH_PRENORM: [false, true, true, true]
    DIM_EMBED: [256, 512, 1024, 2048]
    NUM_HEADS: [8, 16, 32, 64]
    NUM_GROUPS: [8, 16, 32, 64]
    DEPTHS: [1, 1, 9, 1]
    WINDOW_SIZE: 12
    ENABLE_CHECKPOINT: true
UNICL_MODEL:
  DIM_PROJECTION: 1024
  GATHER_TENSORS: true
  LOAD_PRETRAINED: true
  PRETRAINED: ''
AUG: {INTERPOLATION: bicubic, SCALE: [0.8, 1.0]}
TEST: {CENTER_CROP: false}
)";

void expect_same(const models::MedImageInsightConfig& a, const models::MedImageInsightConfig& b) {
  EXPECT_EQ(a.image_size, b.image_size);
  EXPECT_TRUE(std::equal(a.mean, a.mean + 3, b.mean));
  EXPECT_TRUE(std::equal(a.std, a.std + 3, b.std));
  EXPECT_EQ(a.image.dims, b.image.dims);
  EXPECT_EQ(a.image.depths, b.image.depths);
  EXPECT_EQ(a.image.heads, b.image.heads);
  EXPECT_EQ(a.image.groups, b.image.groups);
  EXPECT_EQ(a.image.patch_size, b.image.patch_size);
  EXPECT_EQ(a.image.patch_stride, b.image.patch_stride);
  EXPECT_EQ(a.image.patch_padding, b.image.patch_padding);
  EXPECT_EQ(a.image.patch_prenorm, b.image.patch_prenorm);
  EXPECT_EQ(a.image.window, b.image.window);
  EXPECT_EQ(a.image.drop_path, b.image.drop_path);
  EXPECT_EQ(a.text.context, b.text.context);
  EXPECT_EQ(a.text.width, b.text.width);
  EXPECT_EQ(a.text.heads, b.text.heads);
  EXPECT_EQ(a.text.layers, b.text.layers);
  EXPECT_EQ(a.projection, b.projection);
}

TEST(Config, ThePublishedFileIsTheDefault) { expect_same(parse_config(kPublished, "f"), {}); }

TEST(Config, ComesBackAsItWasWritten) {
  models::MedImageInsightConfig c;
  c.image_size = 96;
  c.mean[1] = 0.4321F;
  c.std[2] = 1.F / 3;
  c.image.dims = {16, 32, 48};
  c.image.depths = {1, 0, 2};
  c.image.heads = {2, 2, 4};
  c.image.groups = {1, 4, 3};
  c.image.patch_size = {4, 2, 2};
  c.image.patch_stride = {4, 2, 2};
  c.image.patch_padding = {0, 0, 0};
  c.image.patch_prenorm = {true, false, true};
  c.image.window = 5;
  c.image.drop_path = 0.05;
  c.text.context = 16;
  c.text.width = 64;
  c.text.heads = 2;
  c.text.layers = 3;
  c.projection = 48;
  expect_same(parse_config(write_config(c), "f"), c);
}

/// The published file with one line more at its end.
std::string with(const std::string& line) { return std::string(kPublished) + line + "\n"; }

TEST(Config, DottedKeysOverrideNestedOnes) {
  EXPECT_EQ(parse_config(with("IMAGE_ENCODER.SPEC.WINDOW_SIZE: 6"), "f").image.window, 6);
  EXPECT_EQ(parse_config(with("IMAGE_ENCODER.SPEC.DEPTHS[2]: 3"), "f").image.depths,
            (std::vector<int64_t>{1, 1, 3, 1}));
  EXPECT_EQ(parse_config(with("UNICL_MODEL.DIM_PROJECTION: 512"), "f").projection, 512);
}

struct Wrong {
  std::string line;
  const char* says;
};

const std::vector<Wrong> kWrong{
    {"IMAGE_ENCODER.IMAGE_SIZE: [480, 512]", "square"},
    {"IMAGE_ENCODER.IMAGE_SIZE: [480]", "square"},
    {"IMAGE_ENCODER.IMAGE_SIZE: 480", "IMAGE_SIZE is not a list"},
    {"IMAGE_ENCODER.IMAGE_SIZE: [0, 0]", "square"},
    {"IMAGE_ENCODER.IMAGE_SIZE: [1000000, 1000000]", "square"},
    {"IMAGE_ENCODER.IMAGE_SIZE: ['${SIZE}', '${SIZE}']", "IMAGE_SIZE is \"${SIZE}\""},
    {"IMAGE_ENCODER.IMAGE_MEAN: [0.5]", "three values"},
    {"IMAGE_ENCODER.IMAGE_STD: [a, b, c]", "IMAGE_STD is \"a\""},
    {"IMAGE_ENCODER.NUM_CLASSES: 1000", "a classifier"},
    {"IMAGE_ENCODER.NAME: vit", "'vit' where 'davit_v1'"},
    {"IMAGE_ENCODER.SPEC.DIM_EMBED: [256, 512]", "stages"},
    {"IMAGE_ENCODER.SPEC.DIM_EMBED: []", "1 to 8 values"},
    {"IMAGE_ENCODER.SPEC.DEPTHS: [1, 1, 1, 1, 1, 1, 1, 1, 1]", "1 to 8 values"},
    {"IMAGE_ENCODER.SPEC.DEPTHS: [1, 1, -9, 1]", "DEPTHS is -9"},
    {"IMAGE_ENCODER.SPEC.DEPTHS: [1, 1, 9.5, 1]", "DEPTHS is 9.5"},
    {"IMAGE_ENCODER.SPEC.DEPTHS: [1, 1, 99999999999, 1]", "DEPTHS is 99999999999"},
    {"IMAGE_ENCODER.SPEC.NUM_HEADS: [7, 16, 32, 64]", "stage 0 has 256 channels for 7 heads"},
    {"IMAGE_ENCODER.SPEC.NUM_GROUPS: [8, 16, 32, 0]", "stage 3"},
    {"IMAGE_ENCODER.SPEC.PATCH_STRIDE: [0, 2, 2, 2]", "impossible patch"},
    {"IMAGE_ENCODER.SPEC.PATCH_PADDING: [7, 1, 1, 1]", "impossible patch"},
    {"IMAGE_ENCODER.SPEC.PATCH_PRENORM: [0, 1, 1, 1]", "PATCH_PRENORM is 0"},
    {"IMAGE_ENCODER.SPEC.WINDOW_SIZE: 0", "WINDOW_SIZE"},
    {"IMAGE_ENCODER.SPEC.WINDOW_SIZE: twelve", "WINDOW_SIZE is \"twelve\""},
    {"IMAGE_ENCODER.SPEC.DROP_PATH_RATE: 1.0", "DROP_PATH_RATE"},
    {"IMAGE_ENCODER.SPEC.CONV_AT_ATTN: false", "CONV_AT_ATTN: false is a variant"},
    {"IMAGE_ENCODER.SPEC.STANDPARAM: false", "STANDPARAM"},
    {"LANG_ENCODER.AUTOGRESSIVE: true", "AUTOGRESSIVE: true is a variant"},
    {"LANG_ENCODER.TOKENIZER: bert", "'bert' where 'clip'"},
    {"LANG_ENCODER.HEADS: 15", "impossible sizes"},
    {"LANG_ENCODER.CONTEXT_LENGTH: 1", "impossible sizes"},
    {"UNICL_MODEL.DIM_PROJECTION: 0", "impossible sizes"},
    {"UNICL_MODEL.DIM_PROJECTION: [1024]", "DIM_PROJECTION is [1024]"},
};

TEST(Config, WrongValuesAreNamed) {
  for (const Wrong& wrong : kWrong) {
    try {
      parse_config(with(wrong.line), "bad/config.yaml");
      ADD_FAILURE() << wrong.line << " was taken";
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(error.code(), ErrorCode::kModel) << wrong.line;
      EXPECT_TRUE(message.starts_with("bad/config.yaml: ")) << message;
      EXPECT_NE(message.find(wrong.says), std::string::npos) << wrong.line << ": " << message;
    }
  }
}

TEST(Config, OtherFilesAreRefused) {
  for (const char* text : {"", "[1, 2]", "just words", "IMAGE_ENCODER: {}", "LANG_ENCODER: {}",
                           "IMAGE_ENCODER: 5\nLANG_ENCODER:", "{", "%PDF-1.4"})
    EXPECT_THROW(parse_config(text, "f"), Error) << text;
}

TEST(Config, AHugeFileIsNotRead) {
  const auto path = fs::temp_directory_path() / ("config-" + std::to_string(::getpid()) + ".yaml");
  write_file(path, kPublished);
  expect_same(catalog::read_config(path), {});
  fs::resize_file(path, 3 << 20);
  EXPECT_THROW(catalog::read_config(path), Error);
  fs::remove(path);
  EXPECT_THROW(catalog::read_config(path), Error);
}

}  // namespace
