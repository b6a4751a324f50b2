// Grounded text that breaks the published form: what can still be read of it.
#pragma once

#include <string_view>

#include "text/grounded_text.h"

namespace vesalius::text {

/// The sentences in `whole` with a Repair for all that was wrong. Nothing that could be words is
/// lost: what stands outside of items becomes sentences.
GroundedText recover_grounded(std::string_view text, Span whole, const GroundingTokens& tokens);

}  // namespace vesalius::text
