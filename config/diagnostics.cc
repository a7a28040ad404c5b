#include "eigengrad/config/diagnostics.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "eigengrad/core/check.h"

namespace eigengrad::config {
namespace {

constexpr std::size_t kMostShown = 100, kLongestPointer = 400;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// Damerau and Levenshtein's: insertions, deletions, replacements, and exchanges of neighbours (optimal string
// alignment).
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string pointer_to(const std::string& parent, std::string_view key) {
  std::string escaped;
  for (const char c : key) escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return parent + "/" + escaped;
}

std::string pointer_to(const std::string& parent, std::size_t index) { return parent + "/" + std::to_string(index); }

std::string excerpt(std::string_view text, std::size_t most) {
  return printable(text.size() > most ? std::string(text.substr(0, most - 3)) + "..." : std::string(text));
}

std::string suggestion(std::string_view name, std::span<const std::string> candidates) {
  if (name.size() > 64) return "";
  const std::string wanted = lower(name);
  std::string best;
  std::size_t least = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(wanted, lower(candidate));
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  if (!best.empty() || wanted.size() < 3) return best;
  for (const std::string& candidate : candidates)  // "epochs" for "max_epochs"
    if (lower(candidate).find(wanted) != std::string::npos) return candidate;
  return "";
}

void Diagnostics::add(const std::string& pointer, Position position, std::string message) {
  if (++count_ <= kMostShown) entries_.push_back({pointer, position, std::move(message)});
}

void Diagnostics::unknown_name(const std::string& pointer, Position position, std::string_view what,
                               std::string_view name, std::span<const std::string> known) {
  if (count_ >= kMostShown) return add(pointer, position, "");
  std::string list;
  for (const std::string& candidate : known) list += (list.empty() ? "" : ", ") + candidate;
  std::string message = fmt::format("unknown {} '{}', expected one of: {}", what, excerpt(name), list);
  if (const std::string near = suggestion(name, known); !near.empty())
    message += fmt::format("; did you mean '{}'?", near);
  add(pointer, position, std::move(message));
}

void Diagnostics::throw_if_any() const {
  if (empty()) return;
  std::vector<Entry> sorted = entries_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.position.line, a.position.column) < std::pair(b.position.line, b.position.column);
  });
  std::string text = count_ == 1 ? "" : fmt::format("{} mistakes in {}\n", count_, source_);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const Entry& entry = sorted[i];
    text += i ? "\n" : "";
    text += source_;
    if (entry.position.line > 0) text += fmt::format(":{}:{}", entry.position.line, entry.position.column);
    text += fmt::format("{}: {}", entry.pointer.empty() ? "" : " " + excerpt(entry.pointer, kLongestPointer),
                        printable(entry.message));
  }
  if (count_ > sorted.size()) text += fmt::format("\nand {} more", count_ - sorted.size());
  throw ConfigError(text);
}

}  // namespace eigengrad::config
