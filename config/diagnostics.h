// What is wrong with a configuration: collected, then told all at once.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigengrad/config/value.h"
#include "eigengrad/core/error.h"

namespace eigengrad::config {

/// A JSON pointer (RFC 6901) one level deeper.
std::string pointer_to(const std::string& parent, std::string_view key);
std::string pointer_to(const std::string& parent, std::size_t index);

/// A user's text for a message: without unprintable characters, and with only the beginning of a long one.
std::string excerpt(std::string_view text, std::size_t most = 60);

/// The candidate that a mistyped name most likely stands for, or an empty string when none is near.
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

/// One option that does not fit what it meets later, such as data.
class OptionError : public ConfigError {
 public:
  /// `key` is a pointer that begins at the options: "/length", "/transforms/0".
  OptionError(std::string key, const std::string& message)
      : ConfigError(key.substr(1) + ": " + message), key_(std::move(key)), message_(message) {}
  /// The pointer.
  const std::string& key() const { return key_; }
  /// What is wrong, without the option's name.
  const std::string& message() const { return message_; }

 private:
  std::string key_, message_;
};

/// Mistakes, each with its place, to be thrown as one ConfigError.
class Diagnostics {
 public:
  /// `source` is what messages call the configuration: the name of a file.
  explicit Diagnostics(std::string source = "config") : source_(std::move(source)) {}

  /// Notes a mistake at a place: what was found, what was expected.
  void add(const std::string& pointer, Position position, std::string message);
  /// Notes a name that is not known, with those that are and the likeliest of them.
  void unknown_name(const std::string& pointer, Position position, std::string_view what, std::string_view name,
                    std::span<const std::string> known);
  /// Whether nothing was found wrong.
  bool empty() const { return count_ == 0; }
  /// The number of mistakes.
  std::size_t size() const { return count_; }
  /// Throws ConfigError listing everything, in the order of the file; of very many the first.
  void throw_if_any() const;

 private:
  struct Entry {
    std::string pointer;
    Position position;
    std::string message;
  };
  std::string source_;
  std::vector<Entry> entries_;  // as many as are shown
  std::size_t count_ = 0;
};

}  // namespace eigengrad::config
