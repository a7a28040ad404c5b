// Curves as SVG.
#pragma once

#include <string>
#include <vector>

namespace eigengrad::io {

/// Points (x[i], y[i]) of a curve, or with `points` as dots. Where low and high are given they are the limits of a band
/// around it.
struct Series {
  std::string name;
  std::vector<double> x, y;
  std::vector<double> low{}, high{};
  bool points = false;
};

struct Plot {
  std::string title, x_label, y_label;
  std::vector<Series> series;
};

/// The plot as one SVG file, 720 by 440, its axes chosen to hold everything that is finite. Throws ValueError for
/// series whose lists differ in length.
std::string to_svg(const Plot& plot);

}  // namespace eigengrad::io
