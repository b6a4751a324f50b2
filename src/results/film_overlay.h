// A report as a picture: the film with its boxes, and beneath it what they show.
#pragma once

#include "media/image.h"
#include "tasks/report.h"

namespace vesalius::results {

/// The film at most 1600 pixels wide (a small one is magnified by a whole number), each box in the
/// colour of its finding with the finding's number, and a legend of all sentences. RGB.
media::Image film_overlay(const tasks::Report& report);

}  // namespace vesalius::results
