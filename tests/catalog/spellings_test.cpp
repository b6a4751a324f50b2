#include "catalog/spellings.h"

#include <gtest/gtest.h>

#include "catalog/random.h"

namespace vesalius::catalog {
namespace {

struct Case {
  const char *other, *published;
};

const std::vector<Case> kCases{
    // The original loader's prefixes.
    {"visual.convs.0.proj.weight", "image_encoder.convs.0.proj.weight"},
    {"text.ln_final.bias", "lang_encoder.ln_final.bias"},
    {"text.resblocks.3.attn.in_proj_weight", "lang_encoder.resblocks.3.attn.in_proj_weight"},
    {"vision_projection", "image_projection"},
    {"text_projection", "lang_projection"},
    {"model.logit_scale", "logit_scale"},
    {"module.visual.norms.weight", "image_encoder.norms.weight"},
    // The first DaViT.
    {"visual.conv_embeds.2.norm.bias", "image_encoder.convs.2.norm.bias"},
    {"visual.main_blocks.2.8.0.cpe.0.proj.weight",
     "image_encoder.blocks.2.8.spatial_block.conv1.fn.dw.weight"},
    {"visual.main_blocks.2.8.0.cpe.1.proj.bias",
     "image_encoder.blocks.2.8.spatial_block.conv2.fn.dw.bias"},
    {"visual.main_blocks.0.0.0.norm1.weight",
     "image_encoder.blocks.0.0.spatial_block.window_attn.norm.weight"},
    {"visual.main_blocks.0.0.0.attn.qkv.weight",
     "image_encoder.blocks.0.0.spatial_block.window_attn.fn.qkv.weight"},
    {"visual.main_blocks.0.0.1.attn.proj.bias",
     "image_encoder.blocks.0.0.channel_block.channel_attn.fn.proj.bias"},
    {"visual.main_blocks.3.0.1.norm2.bias", "image_encoder.blocks.3.0.channel_block.ffn.norm.bias"},
    {"visual.main_blocks.3.0.1.mlp.fc2.weight",
     "image_encoder.blocks.3.0.channel_block.ffn.fn.net.fc2.weight"},
    // timm's.
    {"visual.stem.conv.weight", "image_encoder.convs.0.proj.weight"},
    {"visual.stem.norm.bias", "image_encoder.convs.0.norm.bias"},
    {"visual.stages.3.downsample.conv.weight", "image_encoder.convs.3.proj.weight"},
    {"visual.stages.1.downsample.norm.weight", "image_encoder.convs.1.norm.weight"},
    {"visual.stages.2.blocks.4.channel_block.cpe2.proj.weight",
     "image_encoder.blocks.2.4.channel_block.conv2.fn.dw.weight"},
    {"visual.stages.2.blocks.4.spatial_block.mlp.fc1.bias",
     "image_encoder.blocks.2.4.spatial_block.ffn.fn.net.fc1.bias"},
    {"visual.head.norm.weight", "image_encoder.norms.weight"},
    // What it does not know stays, to be listed as extra.
    {"visual.head.fc.weight", "image_encoder.head.fc.weight"},
    {"optimizer.step", "optimizer.step"},
};

TEST(Spellings, LeadToThePublishedNames) {
  for (const Case& one : kCases)
    EXPECT_EQ(medimageinsight_spellings()(one.other), one.published) << one.other;
}

TEST(Spellings, LeaveThePublishedNamesAlone) {
  const auto list = tensor_list({});
  EXPECT_EQ(list.size(), 601U);
  for (const TensorEntry& entry : list)
    EXPECT_EQ(medimageinsight_spellings()(entry.name), entry.name);
}

}  // namespace
}  // namespace vesalius::catalog
