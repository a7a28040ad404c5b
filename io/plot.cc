#include "eigengrad/io/plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eigengrad/core/check.h"

namespace eigengrad::io {
namespace {

constexpr double kWidth = 720, kHeight = 440, kLeft = 64, kRight = 16, kTop = 58, kBottom = 52;
constexpr const char* kColors[] = {"#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2"};

// The range of an axis, and where its values stand on the picture.
class Axis {
 public:
  Axis(double from, double to) : from_(from), to_(to) {}

  void include(const std::vector<double>& values) {
    for (const double value : values)
      if (std::isfinite(value)) {
        low_ = std::min(low_, value);
        high_ = std::max(high_, value);
      }
  }
  // To be called once everything is included: a little room, and never nothing.
  void close() {
    if (low_ > high_) low_ = 0, high_ = 1;
    const double room = high_ > low_ ? 0.03 * (high_ - low_) : std::max(1.0, std::abs(low_)) * 0.5;
    low_ -= room;
    high_ += room;
  }
  double at(double value) const { return from_ + (value - low_) / (high_ - low_) * (to_ - from_); }
  // Round numbers: steps of 1, 2 or 5 times a power of ten.
  std::vector<double> ticks() const {
    const double rough = (high_ - low_) / 6, power = std::pow(10, std::floor(std::log10(rough)));
    const double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
    std::vector<double> ticks;
    for (double tick = std::ceil(low_ / step) * step; tick <= high_; tick += step)
      ticks.push_back(std::abs(tick) < step * 1e-9 ? 0 : tick);
    return ticks;
  }

 private:
  double from_, to_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -std::numeric_limits<double>::infinity();
};

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return result;
}

std::string text_at(double x, double y, const char* anchor, const std::string& text, int size = 12) {
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}" font-size="{}">{}</text>)"
                     "\n",
                     x, y, anchor, size, escaped(text));
}

std::string path_of(const std::vector<double>& xs, const std::vector<double>& ys, const Axis& x, const Axis& y) {
  std::string path;
  bool pen_down = false;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const bool finite = std::isfinite(xs[i]) && std::isfinite(ys[i]);
    if (finite) path += fmt::format("{}{:.1f} {:.1f} ", pen_down ? "L" : "M", x.at(xs[i]), y.at(ys[i]));
    pen_down = finite;
  }
  return path;
}

std::string drawn(const Series& s, const char* color, const Axis& x, const Axis& y) {
  std::string svg;
  if (!s.low.empty()) {
    std::vector<double> xs = s.x, ys = s.high;
    xs.insert(xs.end(), s.x.rbegin(), s.x.rend());
    ys.insert(ys.end(), s.low.rbegin(), s.low.rend());
    svg += fmt::format("<path d=\"{}Z\" fill=\"{}\" fill-opacity=\"0.15\"/>\n", path_of(xs, ys, x, y), color);
  }
  if (!s.points)
    return svg + fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n",
                             path_of(s.x, s.y, x, y), color);
  for (std::size_t i = 0; i < s.x.size(); ++i)
    if (std::isfinite(s.x[i]) && std::isfinite(s.y[i]))
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\" fill=\"{}\" fill-opacity=\"0.5\"/>\n",
                         x.at(s.x[i]), y.at(s.y[i]), color);
  return svg;
}

std::string frame(const Plot& plot, const Axis& x, const Axis& y) {
  const double bottom = kHeight - kBottom, right = kWidth - kRight;
  std::string svg;
  for (const double tick : x.ticks())
    svg += fmt::format("<path d=\"M{0:.1f} {1} V{2}\" stroke=\"#e5e7eb\"/>\n", x.at(tick), kTop, bottom) +
           text_at(x.at(tick), bottom + 16, "middle", fmt::format("{:.6g}", tick));
  for (const double tick : y.ticks())
    svg += fmt::format("<path d=\"M{0} {1:.1f} H{2}\" stroke=\"#e5e7eb\"/>\n", kLeft, y.at(tick), right) +
           text_at(kLeft - 6, y.at(tick) + 4, "end", fmt::format("{:.6g}", tick));
  svg += text_at(kWidth / 2, 22, "middle", plot.title, 15);
  svg += text_at((kLeft + right) / 2, kHeight - 12, "middle", plot.x_label);
  return svg + fmt::format("<g transform=\"translate(14 {}) rotate(-90)\">{}</g>\n", (kTop + bottom) / 2,
                           text_at(0, 0, "middle", plot.y_label));
}

}  // namespace

std::string to_svg(const Plot& plot) {
  Axis x(kLeft, kWidth - kRight), y(kHeight - kBottom, kTop);
  for (const Series& s : plot.series) {
    EG_CHECK(s.x.size() == s.y.size() && s.low.size() == s.high.size() && (s.low.empty() || s.low.size() == s.x.size()),
             ValueError, "[to_svg] the series '{}' has {} and {} numbers, and a band of {} and {}", s.name, s.x.size(),
             s.y.size(), s.low.size(), s.high.size());
    x.include(s.x);
    for (const auto* values : {&s.y, &s.low, &s.high}) y.include(*values);
  }
  x.close();
  y.close();
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "font-family=\"sans-serif\" fill=\"#374151\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
      kWidth, kHeight);
  svg += frame(plot, x, y);
  double legend = kLeft;  // in a row above the axes, where no curve comes
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const Series& series = plot.series[i];
    const char* const color = kColors[i % std::size(kColors)];
    svg += drawn(series, color, x, y);
    svg +=
        fmt::format("<rect x=\"{:.1f}\" y=\"{}\" width=\"12\" height=\"4\" fill=\"{}\"/>\n", legend, kTop - 16, color) +
        text_at(legend + 18, kTop - 10, "start", series.name);
    legend += 42 + 7 * static_cast<double>(series.name.size());
  }
  return svg + "</svg>\n";
}

}  // namespace eigengrad::io
