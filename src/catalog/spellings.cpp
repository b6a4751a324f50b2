#include "catalog/spellings.h"

namespace vesalius::catalog {

const KeyMap& medimageinsight_spellings() {
  static const KeyMap map({
      // Wrappers and towers.
      {"^module", ""},
      {"^model", ""},
      {"^visual", "image_encoder"},
      {"^text", "lang_encoder"},
      {"^vision_projection", "image_projection"},
      {"^text_projection", "lang_projection"},
      // The first DaViT: blocks of a layer by number.
      {"^image_encoder.conv_embeds", "image_encoder.convs"},
      {"^image_encoder.main_blocks", "image_encoder.blocks"},
      {"blocks.{i}.{j}.0", "blocks.{i}.{j}.spatial_block"},
      {"blocks.{i}.{j}.1", "blocks.{i}.{j}.channel_block"},
      {"{block}.cpe.0.proj", "{block}.conv1.fn.dw"},
      {"{block}.cpe.1.proj", "{block}.conv2.fn.dw"},
      // timm.
      {"^image_encoder.stem.conv", "image_encoder.convs.0.proj"},
      {"^image_encoder.stem.norm", "image_encoder.convs.0.norm"},
      {"^image_encoder.stages.{i}.downsample.conv", "image_encoder.convs.{i}.proj"},
      {"^image_encoder.stages.{i}.downsample.norm", "image_encoder.convs.{i}.norm"},
      {"^image_encoder.stages.{i}.blocks.{j}", "image_encoder.blocks.{i}.{j}"},
      {"^image_encoder.head.norm", "image_encoder.norms"},
      {"{block}.cpe1.proj", "{block}.conv1.fn.dw"},
      {"{block}.cpe2.proj", "{block}.conv2.fn.dw"},
      // Both.
      {"spatial_block.norm1", "spatial_block.window_attn.norm"},
      {"spatial_block.attn", "spatial_block.window_attn.fn"},
      {"spatial_block.norm2", "spatial_block.ffn.norm"},
      {"spatial_block.mlp", "spatial_block.ffn.fn.net"},
      {"channel_block.norm1", "channel_block.channel_attn.norm"},
      {"channel_block.attn", "channel_block.channel_attn.fn"},
      {"channel_block.norm2", "channel_block.ffn.norm"},
      {"channel_block.mlp", "channel_block.ffn.fn.net"},
  });
  return map;
}

}  // namespace vesalius::catalog
