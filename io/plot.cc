#include "eigengrad/io/plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eigengrad/core/check.h"
#include "eigengrad/io/html.h"

namespace eigengrad::io {
namespace {

constexpr double kLeft = 64, kRight = 16, kTitle = 32, kLegend = 26, kBottom = 52;
constexpr const char* kColors[] = {"#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2"};

// The range of an axis, and where its values stand on the picture.
class Axis {
 public:
  Axis(double from, double to, bool logarithmic, bool whole)
      : from_(from), to_(to), logarithmic_(logarithmic), whole_(whole) {}

  bool shows(double value) const { return std::isfinite(value) && (!logarithmic_ || value > 0); }
  void include(double value) {
    if (!shows(value)) return;
    low_ = std::min(low_, scaled(value));
    high_ = std::max(high_, scaled(value));
  }
  void include(const std::vector<double>& values) {
    for (const double value : values) include(value);
  }
  // To be called once everything is included: a little room, and never nothing.
  void close() {
    if (low_ > high_) low_ = 0, high_ = 1;
    const double least = 0.5 * (logarithmic_ || whole_ || low_ == 0 ? 1 : std::max(1e-9, std::abs(low_)));
    const double room = high_ > low_ ? 0.03 * (high_ - low_) : least;
    low_ -= room;
    high_ += room;
  }
  double at(double value) const { return from_ + (scaled(value) - low_) / (high_ - low_) * (to_ - from_); }
  // As many as have room.
  std::vector<double> ticks() const {
    const double most = std::max(2.0, std::abs(to_ - from_) / (from_ < to_ ? 70 : 45));
    return logarithmic_ && high_ - low_ > 0.5 ? powers(most) : round_numbers(most);
  }

 private:
  double scaled(double value) const { return logarithmic_ ? std::log10(value) : value; }

  // Steps of 1, 2 or 5 times a power of ten.
  std::vector<double> round_numbers(double most) const {
    const double low = logarithmic_ ? std::pow(10, low_) : low_, high = logarithmic_ ? std::pow(10, high_) : high_;
    const double rough = (high - low) / most, power = std::pow(10, std::floor(std::log10(rough)));
    double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
    if (whole_) step = std::max(1.0, step);
    std::vector<double> ticks;
    for (double i = std::ceil(low / step); i * step <= high; ++i) ticks.push_back(i == 0 ? 0 : i * step);
    return ticks;
  }
  // Powers of ten, and 2 and 5 times them where there is room.
  std::vector<double> powers(double most) const {
    const double decades = high_ - low_, stride = std::max(1.0, std::ceil(decades / most));
    std::vector<double> ticks;
    for (double power = std::floor(low_); power <= high_; power += stride)
      for (const double times : {1.0, 2.0, 5.0}) {
        const double tick = times * std::pow(10, power), place = scaled(tick);
        if ((times == 1 || 3 * decades <= 2 * most) && place >= low_ && place <= high_) ticks.push_back(tick);
      }
    return ticks;
  }

  double from_, to_;
  bool logarithmic_, whole_;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -std::numeric_limits<double>::infinity();
};

std::string text_at(double x, double y, const char* anchor, const std::string& text, int size = 12) {
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}" font-size="{}">{}</text>)"
                     "\n",
                     x, y, anchor, size, escape_html(text));
}

// A series, and how it is drawn.
class Drawing {
 public:
  Drawing(const Plot& plot, const Series& series, std::size_t number, const Axis& x, const Axis& y)
      : plot_(plot), s_(series), color_(kColors[number % std::size(kColors)]), number_(number), x_(x), y_(y) {}

  std::string svg() const {
    std::string svg;
    if (!s_.low.empty()) svg += band();
    if (!s_.points)
      svg += fmt::format("<path class=\"line s{}\" d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n",
                         number_, path_of(s_.x, s_.y), color_);
    for (std::size_t i = 0; i < s_.x.size(); ++i) {
      if (!drawn(i)) continue;
      const bool alone = !(i > 0 && drawn(i - 1)) && !(i + 1 < s_.x.size() && drawn(i + 1));
      if (s_.points)
        svg += circle(i, 2, "fill-opacity=\"0.5\"");
      else if (alone)  // no line goes there
        svg += circle(i, 3, "");
      if (plot_.hints) svg += hint(i);
    }
    return svg;
  }

 private:
  bool drawn(std::size_t i) const { return x_.shows(s_.x[i]) && y_.shows(s_.y[i]); }

  std::string path_of(const std::vector<double>& xs, const std::vector<double>& ys) const {
    std::string path;
    bool pen_down = false;
    for (std::size_t i = 0; i < xs.size(); ++i) {
      const bool there = x_.shows(xs[i]) && y_.shows(ys[i]);
      if (there) path += fmt::format("{}{:.1f} {:.1f} ", pen_down ? "L" : "M", x_.at(xs[i]), y_.at(ys[i]));
      pen_down = there;
    }
    return path;
  }
  std::string band() const {
    std::vector<double> xs = s_.x, ys = s_.high;
    xs.insert(xs.end(), s_.x.rbegin(), s_.x.rend());
    ys.insert(ys.end(), s_.low.rbegin(), s_.low.rend());
    return fmt::format("<path class=\"area s{}\" d=\"{}Z\" fill=\"{}\" fill-opacity=\"0.15\"/>\n", number_,
                       path_of(xs, ys), color_);
  }
  std::string circle(std::size_t i, double radius, const char* more) const {
    return fmt::format("<circle class=\"area s{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\" {}/>\n", number_,
                       x_.at(s_.x[i]), y_.at(s_.y[i]), radius, color_, more);
  }
  std::string hint(std::size_t i) const {
    return fmt::format(
        "<circle class=\"hint s{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"7\" fill=\"transparent\"><title>{} {:.6g}: {} "
        "{:.6g}</title></circle>\n",
        number_, x_.at(s_.x[i]), y_.at(s_.y[i]), escape_html(plot_.x_label), s_.x[i], escape_html(s_.name), s_.y[i]);
  }

  const Plot& plot_;
  const Series& s_;
  const char* color_;
  std::size_t number_;
  const Axis &x_, &y_;
};

// Where the axes stand.
struct Frame {
  double left, right, top, bottom;
};

std::string drawn(const Plot& plot, const Frame& frame, const Axis& x, const Axis& y) {
  std::string svg;
  for (const double tick : x.ticks())
    svg += fmt::format("<path class=\"grid\" d=\"M{0:.1f} {1} V{2}\" stroke=\"#e5e7eb\"/>\n", x.at(tick), frame.top,
                       frame.bottom) +
           text_at(x.at(tick), frame.bottom + 16, "middle", fmt::format("{:.6g}", tick));
  for (const double tick : y.ticks())
    svg += fmt::format("<path class=\"grid\" d=\"M{0} {1:.1f} H{2}\" stroke=\"#e5e7eb\"/>\n", frame.left, y.at(tick),
                       frame.right) +
           text_at(frame.left - 6, y.at(tick) + 4, "end", fmt::format("{:.6g}", tick));
  if (!plot.title.empty()) svg += text_at(plot.width / 2, 22, "middle", plot.title, 15);
  svg += text_at((frame.left + frame.right) / 2, plot.height - 12, "middle", plot.x_label);
  if (plot.y_label.empty()) return svg;
  return svg + fmt::format("<g transform=\"translate(14 {}) rotate(-90)\">{}</g>\n", (frame.top + frame.bottom) / 2,
                           text_at(0, 0, "middle", plot.y_label));
}

std::string drawn(const PlotMark& mark, const Frame& frame, const Axis& x, const Axis& y) {
  if (!x.shows(mark.x) || !y.shows(mark.y)) return "";
  const double at = x.at(mark.x), height = y.at(mark.y);
  const bool left = at < (frame.left + frame.right) / 2;
  return fmt::format(
             "<path class=\"mark\" d=\"M{0:.1f} {1} V{2}\" stroke=\"#6b7280\" stroke-dasharray=\"3 3\"/>\n"
             "<circle class=\"mark\" cx=\"{0:.1f}\" cy=\"{3:.1f}\" r=\"4\" fill=\"none\" stroke=\"#6b7280\" "
             "stroke-width=\"2\"/>\n",
             at, frame.top, frame.bottom, height) +
         text_at(at + (left ? 6 : -6), height < (frame.top + frame.bottom) / 2 ? frame.bottom - 8 : frame.top + 12,
                 left ? "start" : "end", mark.text);
}

// In a row above the axes, where no curve comes.
std::string legend(const Plot& plot, const Frame& frame) {
  std::string svg;
  double x = frame.left;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const std::string& name = plot.series[i].name;
    svg += fmt::format("<rect class=\"area s{}\" x=\"{:.1f}\" y=\"{}\" width=\"12\" height=\"4\" fill=\"{}\"/>\n", i, x,
                       frame.top - 16, kColors[i % std::size(kColors)]) +
           text_at(x + 18, frame.top - 10, "start", name);
    x += 42 + 7 * static_cast<double>(name.size());
  }
  return svg;
}

}  // namespace

std::string to_svg(const Plot& plot) {
  const Frame frame{kLeft, plot.width - kRight, kLegend + (plot.title.empty() ? 0 : kTitle), plot.height - kBottom};
  Axis x(frame.left, frame.right, false, plot.whole_x), y(frame.bottom, frame.top, plot.log_y, false);
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
      "<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "font-family=\"sans-serif\" fill=\"#374151\">\n<rect class=\"paper\" width=\"{0}\" height=\"{1}\" "
      "fill=\"white\"/>\n",
      plot.width, plot.height);
  svg += drawn(plot, frame, x, y) + legend(plot, frame);
  for (std::size_t i = 0; i < plot.series.size(); ++i) svg += Drawing(plot, plot.series[i], i, x, y).svg();
  if (plot.mark) svg += drawn(*plot.mark, frame, x, y);
  return svg + "</svg>\n";
}

}  // namespace eigengrad::io
