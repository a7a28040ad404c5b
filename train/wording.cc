#include "eigengrad/train/wording.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

#include "eigengrad/core/check.h"

namespace eigengrad::train {

std::string grouped(double number) {
  std::string text = fmt::format("{:.0f}", std::abs(number));
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3)
    text.insert(static_cast<std::size_t>(place), "\u202f");  // a narrow space
  return (number < 0 ? "−" : "") + text;
}

std::string percent(double share) { return fmt::format("{:.{}f} %", 100 * share, share >= 0.9995 ? 1 : 2); }

std::string time_text(std::time_t time) {
  char text[32];
  std::tm local{};
  localtime_r(&time, &local);
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

bool is_share(const std::string& metric) {
  for (const char* part : {"accuracy", "precision", "recall", "f1"})
    if (metric.find(part) != std::string::npos) return true;
  return false;
}

std::string shown(double value) {
  const double size = std::abs(value);
  return fmt::format(fmt::runtime(value != 0 && (size < 1e-3 || size >= 1e6) ? "{:.2e}" : "{:.4f}"), value);
}

std::string shown(const std::string& metric, double value) {
  if (!std::isfinite(value)) return "not finite";
  return is_share(metric) ? percent(value) : fmt::format("{:.4g}", value);
}

std::string duration(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.0f} µs", 1e6 * seconds);
  if (seconds < 1) return fmt::format("{:.{}f} ms", 1e3 * seconds, seconds < 0.01 ? 1 : 0);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string abbreviated(double number) {
  for (const auto& [size, letter] : {std::pair{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}})
    if (number >= size) return fmt::format("{:.3g} {}", number / size, letter);
  return fmt::format("{:.0f}", number);
}

std::string title_of(const std::string& metric) {
  static const std::map<std::string, std::string> titles{{"lr", "learning rate"},
                                                         {"grad_norm", "gradient norm"},
                                                         {"f1", "F1"},
                                                         {"mae", "mean absolute error"},
                                                         {"rmse", "root mean squared error"},
                                                         {"mse", "mean squared error"},
                                                         {"r2", "R²"}};
  if (metric.starts_with("valid_")) return "validation " + title_of(metric.substr(6));
  if (metric.starts_with("test_")) return "test " + title_of(metric.substr(5));
  const auto found = titles.find(metric);
  if (found != titles.end()) return found->second;
  std::string text = metric;
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string capital(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace eigengrad::train
