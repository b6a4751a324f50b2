// Other spellings of MedImageInsight's tensors that its original loader takes, and timm's.
#pragma once

#include "checkpoint/key_map.h"

namespace vesalius::catalog {

/// Maps the older DaViT names, the visual. and text. prefixes, timm's names below them and the
/// wrappers' model. and module. to the published names, which it leaves as they are.
const KeyMap& medimageinsight_spellings();

}  // namespace vesalius::catalog
