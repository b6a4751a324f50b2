// The course of a training as a picture.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace vesalius::results {

/// An SVG of the loss (and, where logged, validation loss, top-1 or Dice) over epochs, from the
/// lines of the training's log. Opens in any browser; light and dark.
std::string loss_plot(const std::vector<Json>& log, const std::string& title);

}  // namespace vesalius::results
